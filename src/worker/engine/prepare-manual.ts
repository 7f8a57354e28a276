import { FlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import { readManualFile } from '../../workflow/manual/manual-file.ts'
import type { ManualRows } from '../../workflow/manual/manual-rows.ts'
import { ownValue } from '../../workflow/own-value.ts'
import { arrowPiecesOf } from './arrow-writing.ts'
import type { PreparedSource } from './compute-engine.ts'
import { typedColumn } from './duckdb-types.ts'
import { storeRows } from './prepared-rows.ts'
import { checkTypedColumns, type SourceOptions } from './source-options.ts'
import { openSourceBlob, type SourceTables } from './source-tables.ts'
import type { Workplace } from './sessions.ts'

type File = { readonly blobKey: string; readonly fileName: string; readonly options: SourceOptions }
type Parts = { readonly blobStore: BlobStorePort; readonly tables: SourceTables }

/** The rows of a file as they were typed. @throws FlowForgeError `INVALID_INPUT` for a file that holds none */
export const openManualRows = async (
  blobStore: BlobStorePort,
  { blobKey, fileName }: Pick<File, 'blobKey' | 'fileName'>
): Promise<ManualRows> => {
  const text = await (await openSourceBlob(blobStore, blobKey)).text()
  try {
    return readManualFile(text)
  } catch (cause) {
    const message = `"${fileName}" does not hold rows that were typed by hand.`
    throw new FlowForgeError('INVALID_INPUT', message, { fileName, reason: 'not-rows' }, cause)
  }
}

/** Reads rows that were typed by hand. They travel as text, and the engine casts each to its column's type. */
export const prepareManual = async (
  place: Workplace,
  { blobStore, tables }: Parts,
  file: File
): Promise<PreparedSource> => {
  const { columns: written, rows } = await openManualRows(blobStore, file)
  const { types = {} } = file.options
  const names = written.map(({ name }) => name)
  checkTypedColumns(file.fileName, names, types)
  const columns = written.map(({ name, type }) => typedColumn(name, ownValue(types, name) ?? type))
  const texts = names.map((name) => typedColumn(name, 'text'))
  return storeRows(
    place,
    { blobStore, tables },
    { fileName: file.fileName, columns, rows: rows.length, pieces: arrowPiecesOf(texts, rows), notes: [] }
  )
}
