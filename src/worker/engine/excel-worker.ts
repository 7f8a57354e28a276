/** Takes a workbook apart beside FlowForge's own worker, which would not answer for seconds otherwise. */
import readXlsxFile from 'read-excel-file/web-worker'
import { countedFrom1904, sheetDate } from './excel-dates.ts'
import { sheetFacts, type ErrorCell, type Place, type SheetFacts } from './excel-parts.ts'

export type SheetCell = string | number | boolean | Date | null
export type ExcelAnswer =
  | {
      readonly ok: true
      readonly sheets: readonly string[]
      readonly sheet: string
      readonly rows: readonly (readonly SheetCell[])[]
      /** Cells that are empty in the rows because they hold an error. */
      readonly errors: readonly ErrorCell[]
      /** Dates before 1900, and times without a day. */
      readonly datesAsText: readonly Place[]
    }
  | { readonly ok: false; readonly reason: 'no-sheet'; readonly sheets: readonly string[] }
  | { readonly ok: false; readonly reason: 'broken'; readonly message: string }

const toCell = (value: unknown, { is1904, is1904Missed }: SheetFacts): SheetCell => {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (!(value instanceof Date)) return String(value)
  return sheetDate(is1904Missed ? countedFrom1904(value) : value, is1904)
}

const read = async (file: Blob, wanted: string | undefined): Promise<ExcelAnswer> => {
  const sheets = await readXlsxFile(file, { trim: false })
  const names = sheets.map(({ sheet }) => sheet)
  const found = wanted === undefined ? sheets[0] : sheets.find(({ sheet }) => sheet === wanted)
  if (found === undefined) return { ok: false, reason: 'no-sheet', sheets: names }
  const facts = await sheetFacts(file, sheets.indexOf(found))
  // Dates that no date can hold become text, and are told by that.
  const rows = found.data.map((row) => row.map((cell) => toCell(cell, facts)))
  const datesAsText = found.data.flatMap((row, at) =>
    row.flatMap((cell, column) =>
      cell instanceof Date && typeof rows[at]?.[column] === 'string' ? [{ row: at, column }] : []
    )
  )
  return { ok: true, sheets: names, sheet: found.sheet, rows, errors: facts.errors, datesAsText }
}

globalThis.addEventListener('message', ({ data, ports }: MessageEvent<{ file: Blob; sheet?: string }>) => {
  read(data.file, data.sheet)
    .catch((thrown: unknown): ExcelAnswer => ({
      ok: false,
      reason: 'broken',
      message: thrown instanceof Error ? thrown.message : String(thrown)
    }))
    .then((answer) => ports[0]?.postMessage(answer))
    .catch((thrown: unknown) => console.error(thrown))
})
