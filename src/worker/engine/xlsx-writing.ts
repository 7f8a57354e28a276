import type { Cell, SheetData } from 'write-excel-file/browser'
import type { Column } from '../../workflow/value-type.ts'
import type { CellValue } from './arrow-rows.ts'
import { hexText } from './csv-text.ts'
import { tableBatches, type StoredTable } from './sink-files.ts'

/** Excel's numbers have 15 digits; what has more is written as text, so that none is lost. */
const EXACT_DIGITS = 15
const hasFewDigits = (text: string): boolean =>
  text.replace(/^-/, '').replace('.', '').replace(/^0+/, '').length <= EXACT_DIGITS

/** Excel counts days from 1900 and has no dates before. */
const FIRST_YEAR = '1900-03-01'

const text = (value: string): Cell => ({ value, type: String })

const dateCell = (value: string, format: string): Cell => {
  const iso = value.includes('T') ? `${value}Z` : `${value}T00:00:00Z`
  // Microseconds have no place in a sheet's time; such a value stays text.
  const isPlain = /^\d{4}-/.test(value) && value >= FIRST_YEAR && !/\.\d{4,}$/.test(value)
  return isPlain ? { value: new Date(iso), type: Date, format } : text(value)
}

const toCell = (value: CellValue, { type }: Column): Cell => {
  if (value === null) return null
  if (typeof value === 'boolean') return { value, type: Boolean }
  if (typeof value === 'bigint') return text(value.toString())
  if (typeof value === 'number') {
    const fits = Number.isFinite(value) && (type !== 'integer' || hasFewDigits(String(value)))
    return fits ? { value, type: Number } : text(String(value))
  }
  if (value instanceof Uint8Array) return text(hexText(value))
  if (type === 'decimal') return hasFewDigits(value) ? { value: Number(value), type: Number } : text(value)
  if (type === 'date') return dateCell(value, 'yyyy-mm-dd')
  if (type === 'timestamp') return dateCell(value, 'yyyy-mm-dd hh:mm:ss')
  return text(value)
}

/** A workbook of one sheet with a bold header. It is put together in memory: the format leaves no other way. */
export const toXlsx = async (table: StoredTable): Promise<Blob> => {
  const { columns } = table
  const sheet: SheetData = [columns.map(({ name }) => ({ value: name, type: String, fontWeight: 'bold' }))]
  for await (const { rows, readers } of tableBatches(table)) {
    for (let row = 0; row < rows; row += 1) {
      sheet.push(columns.map((column, at) => toCell(readers[at]?.(row) ?? null, column)))
    }
  }
  const { default: writeXlsxFile } = await import('write-excel-file/browser')
  return writeXlsxFile(sheet, { sheet: 'Result', stickyRowsCount: 1 }).toBlob()
}
