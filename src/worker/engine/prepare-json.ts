import { FlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import { arrowPiecesOf, type Cells } from './arrow-writing.ts'
import { tellApart } from './column-names.ts'
import type { PreparedSource } from './compute-engine.ts'
import { typedColumn } from './duckdb-types.ts'
import { throwIfCanceled } from './engine-errors.ts'
import { isExactNumber } from './exact-number.ts'
import { jsonShape, jsonValues, strictJsonValues } from './json-parsing.ts'
import { storeRows } from './prepared-rows.ts'
import { checkTypedColumns, type SourceOptions } from './source-options.ts'
import { openSourceBlob, type SourceTables } from './source-tables.ts'
import { detectEncoding, encodingNote, isUtf8, toUtf8 } from './text-encoding.ts'
import { columnOf, emptyShape, see, type ValueShape } from './value-shape.ts'
import type { Workplace } from './sessions.ts'

type File = { readonly blobKey: string; readonly fileName: string; readonly options: SourceOptions }
type Parts = { readonly blobStore: BlobStorePort; readonly tables: SourceTables }
type JsonRow = Readonly<Record<string, unknown>>

const isRow = (value: unknown): value is JsonRow =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)

const notRows = (fileName: string, found: string): FlowForgeError =>
  new FlowForgeError(
    'INVALID_INPUT',
    `"${fileName}" holds no rows: an array of objects or one object a line is expected, found ${found}.`,
    { fileName, line: 1, reason: 'not-rows', expected: 'objects', found }
  )

const nameOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'an array'
  return value === null ? 'null' : `a ${typeof value}`
}

type Rows = { readonly read: () => AsyncIterable<JsonRow>; readonly notes: readonly string[] }

/** An object that stands alone is a row, unless one of its members, and only one, is a list of rows. */
const rowsInside = (only: JsonRow): Rows => {
  const lists = Object.entries(only).filter(
    ([, value]) => Array.isArray(value) && value.length > 0 && value.every(isRow)
  )
  const [list] = lists
  const asRows = async function* (rows: readonly unknown[]): AsyncGenerator<JsonRow> {
    yield* rows.filter(isRow)
  }
  if (list === undefined || lists.length > 1 || !Array.isArray(list[1])) {
    return { read: () => asRows([only]), notes: ['One object: one row.'] }
  }
  const [key, members] = list
  return {
    read: () => asRows(members),
    notes: [`The rows are those of "${key}"; what stands beside it was not read.`]
  }
}

/** Rows can be read more than once: first for their types, then to be written. */
const openRows = async (blob: Blob, fileName: string): Promise<Rows> => {
  const shape = await jsonShape(blob)
  if (shape === null) {
    // What is no JSON at all is told with its line; a lone number or text is JSON, but no rows.
    for await (const value of strictJsonValues(blob, fileName, 'objects'))
      throw notRows(fileName, nameOf(value))
    throw notRows(fileName, 'nothing')
  }
  const read = async function* (): AsyncGenerator<JsonRow> {
    for await (const value of jsonValues(blob, fileName, shape)) {
      if (!isRow(value)) throw notRows(fileName, nameOf(value))
      yield value
    }
  }
  if (shape === 'array') return { read, notes: [] }
  const first: JsonRow[] = []
  for await (const row of read()) {
    first.push(row)
    if (first.length > 1) break
  }
  const [only] = first
  return only === undefined || first.length > 1 ? { read, notes: [] } : rowsInside(only)
}

const openText = async (file: File, blob: Blob): Promise<{ blob: Blob; notes: string[] }> => {
  const told = await detectEncoding(blob, file.fileName)
  const encoding = told === 'utf-8' && !(await isUtf8(blob)) ? 'windows-1252' : told
  if (encoding === 'utf-8') return { blob, notes: [] }
  const note = encodingNote(encoding)
  return { blob: await new Response(toUtf8(blob, encoding)).blob(), notes: note === null ? [] : [note] }
}

/** Reads a JSON or NDJSON file twice, once for the types of all its rows and once to write them as Arrow. */
export const prepareJson = async (
  place: Workplace,
  { blobStore, tables }: Parts,
  file: File
): Promise<PreparedSource> => {
  const { blob, notes } = await openText(file, await openSourceBlob(blobStore, file.blobKey))
  const rows = await openRows(blob, file.fileName)
  const shapes = new Map<string, ValueShape>()
  let count = 0
  for await (const row of rows.read()) {
    throwIfCanceled(place.signal)
    for (const [key, value] of Object.entries(row)) {
      const shape = shapes.get(key) ?? emptyShape()
      shapes.set(key, shape)
      see(shape, value)
    }
    count += 1
  }
  if (shapes.size === 0) throw notRows(file.fileName, count === 0 ? 'none' : 'objects without members')
  const keys = [...shapes.keys()]
  const { names, notes: renamed } = tellApart(keys)
  const { types = {} } = file.options
  checkTypedColumns(file.fileName, names, types)
  const columns = [...shapes.values()].map((shape, at) => {
    const name = names[at] ?? ''
    const type = types[name]
    return type === undefined ? columnOf(name, shape) : typedColumn(name, type)
  })
  const cells = async function* (): AsyncGenerator<Cells> {
    for await (const row of rows.read()) {
      throwIfCanceled(place.signal)
      yield keys.map((key) => row[key])
    }
  }
  return storeRows(
    place,
    { blobStore, tables },
    {
      fileName: file.fileName,
      columns,
      rows: count,
      pieces: arrowPiecesOf(columns, cells()),
      notes: [...notes, ...rows.notes, ...renamed]
    }
  )
}
