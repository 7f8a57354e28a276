import { FlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import { arrowPiecesOf } from './arrow-writing.ts'
import { tellApart } from './column-names.ts'
import type { PreparedSource } from './compute-engine.ts'
import { typedColumn } from './duckdb-types.ts'
import { readSheet } from './excel-file.ts'
import type { SheetCell } from './excel-worker.ts'
import { storeRows } from './prepared-rows.ts'
import { checkTypedColumns, type SourceOptions } from './source-options.ts'
import { openSourceBlob, type SourceTables } from './source-tables.ts'
import { columnOf, emptyShape, see } from './value-shape.ts'
import { toText } from './value-text.ts'
import type { Workplace } from './sessions.ts'

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
  header: boolean
): { header: SheetRow; rows: SheetRow[]; empty: number } => {
  const first = rows.findIndex(hasValues)
  const below = rows.slice(header ? first + 1 : first)
  // What a sheet's formatting leaves behind its last row is no row.
  const last = below.findLastIndex(hasValues)
  const inside = below.slice(0, last + 1)
  const filled = inside.filter(hasValues)
  return { header: header ? (rows[first] ?? []) : [], rows: filled, empty: inside.length - filled.length }
}

export const prepareExcel = async (place: Workplace, parts: Parts, file: File): Promise<PreparedSource> => {
  const { fileName, options } = file
  const blob = await openSourceBlob(parts.blobStore, file.blobKey)
  const sheet = await readSheet(blob, { fileName, sheet: options.sheet }, place.signal)
  const table = tableOf(sheet.rows, options.header ?? true)
  const width = widthOf([table.header, ...table.rows])
  if (width === 0) {
    const message = `"${fileName}", sheet "${sheet.sheet}", is empty.`
    throw new FlowForgeError('INVALID_INPUT', message, { fileName, line: 1, reason: 'empty' })
  }
  const places = Array.from({ length: width }, (_, at) => at)
  const { names, notes: renamed } = tellApart(places.map((at) => toText(table.header[at] ?? '')))
  checkTypedColumns(fileName, names, options.types)
  const columns = places.map((at) => {
    const name = names[at] ?? ''
    const type = options.types?.[name]
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
