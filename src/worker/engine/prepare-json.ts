import type { BlobStorePort } from '../../db/ports.ts'
import { arrowPiecesOf, type Cells } from './arrow-writing.ts'
import { tellApart } from './column-names.ts'
import type { PreparedSource } from './compute-engine.ts'
import { typedColumn } from './duckdb-types.ts'
import { throwIfCanceled } from './engine-errors.ts'
import { notRows, openRows } from './json-rows.ts'
import { storeRows } from './prepared-rows.ts'
import { checkTypedColumns, type SourceOptions } from './source-options.ts'
import { openSourceBlob, type SourceTables } from './source-tables.ts'
import { detectEncoding, encodingNote, isUtf8, noText, toUtf8 } from './text-encoding.ts'
import { columnOf, emptyShape, see, type ValueShape } from './value-shape.ts'
import type { Workplace } from './sessions.ts'
import { ownValue } from '../../workflow/own-value.ts'

type File = { readonly blobKey: string; readonly fileName: string; readonly options: SourceOptions }
type Parts = { readonly blobStore: BlobStorePort; readonly tables: SourceTables }
const openText = async (file: File, blob: Blob): Promise<{ blob: Blob; notes: string[] }> => {
  const told = await detectEncoding(blob, file.fileName)
  if (told === null) throw noText(file.fileName)
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
    const type = ownValue(types, name)
    return type === undefined ? columnOf(name, shape) : typedColumn(name, type)
  })
  const cells = async function* (): AsyncGenerator<Cells> {
    for await (const row of rows.read()) {
      throwIfCanceled(place.signal)
      yield keys.map((key) => ownValue(row, key))
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
