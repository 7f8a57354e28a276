import type { ManualCell } from '../../../workflow/manual/manual-rows.ts'

/** What stands in a quoted cell from `start`, and where it ends; null where it is no quoted cell after all. */
const quotedCell = (text: string, start: number): { readonly cell: string; readonly end: number } | null => {
  let cell = ''
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] !== '"') cell += text[at]
    else if (text[at + 1] === '"') {
      cell += '"'
      at += 1
    } else {
      const next = text[at + 1]
      const isEnd = next === undefined || next === '\t' || next === '\n' || next === '\r'
      return isEnd ? { cell, end: at + 1 } : null
    }
  }
  return null
}

/**
 * The cells of a text that a spreadsheet put on the clipboard: tabs between cells, line breaks between rows, quotes
 * around what holds either. Nothing is NULL; `""` is the empty text.
 */
export const readClipboard = (text: string): ManualCell[][] => {
  const rows: ManualCell[][] = []
  let row: ManualCell[] = []
  let at = 0
  while (at < text.length || row.length > 0) {
    const quoted = text[at] === '"' ? quotedCell(text, at) : null
    if (quoted === null) {
      const plain = /^[^\t\r\n]*/.exec(text.slice(at))?.[0] ?? ''
      row.push(plain === '' ? null : plain)
      at += plain.length
    } else {
      row.push(quoted.cell)
      at = quoted.end
    }
    if (text[at] === '\t') {
      at += 1
      // A tab at the very end is followed by a cell, too.
      if (at < text.length) continue
      row.push(null)
    }
    rows.push(row)
    row = []
    at += text.startsWith('\r\n', at) ? 2 : 1
  }
  return rows
}

const written = (cell: ManualCell): string => {
  if (cell === null) return ''
  return cell === '' || /["\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
}

/** Cells as a spreadsheet, and `readClipboard`, take them. */
export const writeClipboard = (cells: readonly (readonly ManualCell[])[]): string =>
  cells.map((row) => row.map(written).join('\t')).join('\n')
