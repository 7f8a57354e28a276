import type { Cell, SheetData } from 'write-excel-file/browser'
import { FlowForgeError } from '../../db/ports.ts'
import type { Column } from '../../workflow/value-type.ts'
import type { CellValue } from './arrow-rows.ts'
import { hexText } from './csv-text.ts'
import { tableBatches, type StoredTable } from './stored-table.ts'
import type { Loss, Losses } from './sink-losses.ts'

/** Excel's numbers have 15 digits; what has more is written as text, so that none is lost. */
const EXACT_DIGITS = 15
const hasFewDigits = (text: string): boolean =>
  text.replace(/^-/, '').replace('.', '').replace(/^0+/, '').length <= EXACT_DIGITS

/** Excel counts days from 1900 and has no dates before; its February of 1900 has a day too many. */
const FIRST_DATE = '1900-03-01'
/** Characters that a cell holds; Excel calls a workbook damaged that has more. */
const MOST_CHARACTERS = 32_767

/** Characters that have no place in XML, or are of no use there: the library leaves them out. */
const NOT_IN_XML =
  // oxlint-disable-next-line no-control-regex -- they are looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffd\p{Cs}\p{Noncharacter_Code_Point}]/u

const text = (value: string): Cell => ({ value, type: String })

/** What a cell cannot hold of a value, which is then written as text; null where it holds all of it. */
const lossOf = (value: Exclude<CellValue, null | boolean>, { type }: Column): Loss | null => {
  if (value instanceof Uint8Array) return 'xlsx-bytes'
  if (typeof value === 'bigint') return 'xlsx-digits'
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return 'xlsx-not-finite'
    return type !== 'integer' || hasFewDigits(String(value)) ? null : 'xlsx-digits'
  }
  if (value === '') return 'xlsx-empty'
  if (NOT_IN_XML.test(value)) return 'xlsx-characters'
  if (type === 'decimal') return hasFewDigits(value) ? null : 'xlsx-digits'
  if (type !== 'date' && type !== 'timestamp') return null
  if (!/^\d{4}-/.test(value) || value < FIRST_DATE) return 'xlsx-date'
  return /\.\d{4,}$/.test(value) ? 'xlsx-fraction' : null
}

const FORMATS = { date: 'yyyy-mm-dd', timestamp: 'yyyy-mm-dd hh:mm:ss' } as const

const plainCell = (value: string | number, { type }: Column): Cell => {
  if (typeof value === 'number') return { value, type: Number }
  if (type === 'decimal') return { value: Number(value), type: Number }
  if (type !== 'date' && type !== 'timestamp') return text(value)
  const iso = value.includes('T') ? `${value}Z` : `${value}T00:00:00Z`
  return { value: new Date(iso), type: Date, format: FORMATS[type] }
}

const tooLong = (characters: number, { name }: Column, row: number): FlowForgeError =>
  new FlowForgeError(
    'INVALID_INPUT',
    `An Excel cell holds ${MOST_CHARACTERS} characters; "${name}" has ${characters} in row ${row}. Write CSV, JSON or Parquet, or shorten the text first.`,
    { reason: 'cell-full', column: name, row, characters }
  )

const toCell = (value: CellValue, column: Column, row: number, losses: Losses): Cell => {
  if (value === null) return null
  if (typeof value === 'boolean') return { value, type: Boolean }
  if (typeof value === 'string' && value.length > MOST_CHARACTERS) throw tooLong(value.length, column, row)
  const loss = lossOf(value, column)
  if (loss === null && typeof value !== 'bigint' && !(value instanceof Uint8Array))
    return plainCell(value, column)
  if (loss !== null) losses.note(loss, column.name)
  return text(value instanceof Uint8Array ? hexText(value) : String(value))
}

/**
 * A workbook of one sheet with a bold header. It is put together in memory: the format leaves no other way. Text is
 * stored as text, never as a formula.
 * @throws FlowForgeError `INVALID_INPUT` for a text that no cell holds
 */
export const writeWorkbook = async (table: StoredTable, losses: Losses): Promise<Blob> => {
  const { columns } = table
  const sheet: SheetData = [columns.map(({ name }) => ({ value: name, type: String, fontWeight: 'bold' }))]
  for await (const { rows, readers } of tableBatches(table)) {
    for (let row = 0; row < rows; row += 1) {
      sheet.push(
        columns.map((column, at) => toCell(readers[at]?.(row) ?? null, column, sheet.length, losses))
      )
    }
  }
  const { default: writeXlsxFile } = await import('write-excel-file/browser')
  return writeXlsxFile(sheet, { sheet: 'Result', stickyRowsCount: 1 }).toBlob()
}
