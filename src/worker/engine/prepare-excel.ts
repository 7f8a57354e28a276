import { FlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import { arrowPiecesOf } from './arrow-writing.ts'
import { tellApart } from './column-names.ts'
import type { PreparedSource } from './compute-engine.ts'
import { typedColumn } from './duckdb-types.ts'
import { readSheet } from './excel-file.ts'
import type { ErrorCell } from './excel-parts.ts'
import { parseRange, type SheetRange } from './excel-range.ts'
import type { SheetCell } from './excel-worker.ts'
import { storeRows } from './prepared-rows.ts'
import { checkTypedColumns, type SourceOptions } from './source-options.ts'
import { openSourceBlob, type SourceTables } from './source-tables.ts'
import { columnOf, emptyShape, see } from './value-shape.ts'
import { toText } from './value-text.ts'
import type { Workplace } from './sessions.ts'
import { ownValue } from '../../workflow/own-value.ts'

type File = { readonly blobKey: string; readonly fileName: string; readonly options: SourceOptions }
type Parts = { readonly blobStore: BlobStorePort; readonly tables: SourceTables }
type SheetRow = readonly SheetCell[]

const isEmpty = (cell: SheetCell | undefined): boolean => cell === null || cell === undefined || cell === ''
const hasValues = (row: SheetRow): boolean => row.some((cell) => !isEmpty(cell))

const widthOf = (rows: readonly SheetRow[]): number => {
  let width = 0
  for (const row of rows) {
    const last = row.findLastIndex((cell) => !isEmpty(cell))
    width = Math.max(width, last + 1)
  }
  return width
}

/** The header is the first row with anything in it; rows without anything are left out. */
const tableOf = (
  rows: readonly SheetRow[],
  header: boolean,
  /** Rows with an error in them are no empty rows. */
  withErrors: ReadonlySet<number>
): { header: SheetRow; rows: SheetRow[]; empty: number } => {
  const isFilled = (row: SheetRow, at: number): boolean => hasValues(row) || withErrors.has(at)
  const first = rows.findIndex(isFilled)
  const start = header ? first + 1 : first
  // What a sheet's formatting leaves behind its last row is no row.
  const inside = rows.slice(start, rows.findLastIndex(isFilled) + 1)
  const filled = inside.filter((row, at) => isFilled(row, start + at))
  return { header: header ? (rows[first] ?? []) : [], rows: filled, empty: inside.length - filled.length }
}

/** @throws FlowForgeError `INVALID_INPUT` */
const rangeOf = (text: string | undefined, fileName: string): SheetRange | undefined => {
  const range = text === undefined ? undefined : parseRange(text)
  if (text === undefined || range !== undefined) return range
  const message = `"${text}" is no range of a sheet. Write its corners, such as A1:F200.`
  throw new FlowForgeError('INVALID_INPUT', message, { fileName, range: text, reason: 'invalid-range' })
}

/** A row at a sheet's end whose cells are all errors is not among its rows. */
const padded = (rows: readonly SheetRow[], withErrors: ReadonlySet<number>): readonly SheetRow[] => {
  const last = [...withErrors].reduce((most, row) => Math.max(most, row), -1)
  return [...rows, ...Array.from({ length: Math.max(0, last + 1 - rows.length) }, (): SheetRow => [])]
}

/** "3 cells with errors are empty: #N/A 2 times, #DIV/0! once." */
const errorNotes = (errors: readonly ErrorCell[]): readonly string[] => {
  if (errors.length === 0) return []
  const counts = new Map<string, number>()
  for (const { error } of errors) counts.set(error, (counts.get(error) ?? 0) + 1)
  const told = [...counts].map(([error, count]) => `${error} ${count === 1 ? 'once' : `${count} times`}`)
  const cells = errors.length === 1 ? 'cell with an error is' : 'cells with errors are'
  return [`${errors.length} ${cells} empty: ${told.join(', ')}.`]
}

export const prepareExcel = async (place: Workplace, parts: Parts, file: File): Promise<PreparedSource> => {
  const { fileName, options } = file
  const blob = await openSourceBlob(parts.blobStore, file.blobKey)
  const range = rangeOf(options.range, fileName)
  const sheet = await readSheet(blob, { fileName, sheet: options.sheet, range }, place.signal)
  const withErrors = new Set(sheet.errors.map(({ row }) => row))
  const table = tableOf(padded(sheet.rows, withErrors), options.header ?? true, withErrors)
  const width = widthOf([table.header, ...table.rows])
  if (width === 0) {
    const part = options.range === undefined ? '' : `, range ${options.range}`
    const message = `"${fileName}", sheet "${sheet.sheet}"${part}, is empty.`
    throw new FlowForgeError('INVALID_INPUT', message, { fileName, line: 1, reason: 'empty' })
  }
  const places = Array.from({ length: width }, (_, at) => at)
  const { names, notes: renamed } = tellApart(places.map((at) => toText(table.header[at] ?? '')))
  checkTypedColumns(fileName, names, options.types)
  const columns = places.map((at) => {
    const name = names[at] ?? ''
    const type = ownValue(options.types, name)
    if (type !== undefined) return typedColumn(name, type)
    const shape = emptyShape()
    for (const row of table.rows) see(shape, row[at])
    // Text of a sheet is text, also where it looks like a date: a sheet has dates of its own.
    const column = columnOf(name, shape)
    return shape.texts > 0 ? typedColumn(name, 'text') : column
  })
  const others = sheet.sheets.filter((name) => name !== sheet.sheet)
  const notes = [
    ...(others.length === 0
      ? []
      : [
          `Sheet "${sheet.sheet}" was read; ${others.length} of ${sheet.sheets.length} sheets were not: ${others.join(', ')}.`
        ]),
    ...errorNotes(sheet.errors),
    ...(sheet.datesAsText.length === 0
      ? []
      : [
          `${sheet.datesAsText.length} dates came as text: they lie before 1900, where Excel has no dates, or are times without a day.`
        ]),
    ...(table.empty === 0 ? [] : [`${table.empty} empty rows were left out.`]),
    ...(options.header === false ? [] : renamed)
  ]
  const rows = table.rows.map((row) => places.map((at) => row[at]))
  return storeRows(place, parts, {
    fileName,
    columns,
    rows: rows.length,
    pieces: arrowPiecesOf(columns, rows),
    notes
  })
}
