import { FlowForgeError, toFlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import type { Column } from '../../workflow/value-type.ts'
import { ownValue } from '../../workflow/own-value.ts'
import { arrowPieces, toArrowFile } from './arrow-file.ts'
import { columnarChunks, type ColumnarChunk } from './columnar-file.ts'
import type { PreparedSource } from './compute-engine.ts'
import { toColumn, typedColumn } from './duckdb-types.ts'
import { checkTypedColumns, type SourceOptions } from './source-options.ts'
import { openSourceBlob, type SourceTables } from './source-tables.ts'
import type { Session } from './session.ts'
import type { Workplace } from './sessions.ts'

type File = { readonly blobKey: string; readonly fileName: string; readonly options: SourceOptions }
type Parts = { readonly blobStore: BlobStorePort; readonly tables: SourceTables }

let names = 0

/** The columns of an Arrow stream, with the types that the engine gives them. */
export const arrowColumns = async (session: Session, piece: Uint8Array): Promise<readonly Column[]> => {
  names += 1
  const name = `_shape_${names}`
  try {
    await session.insertArrow(piece, { name, create: true })
    const rows = await session.rows(
      `SELECT column_name AS "name", data_type AS "type" FROM duckdb_columns()
       WHERE table_name = '${name}' ORDER BY column_index`
    )
    return rows.map((row) => toColumn(String(row['name']), String(row['type'])))
  } finally {
    await session.tidy(`DROP TABLE IF EXISTS ${quoteName(name)}`)
  }
}

const firstPiece = async (blob: Blob): Promise<Uint8Array> => {
  for await (const piece of arrowPieces(blob)) return piece
  throw new Error('Prepared rows have at least one piece.')
}

/**
 * Keeps chunks that are complete Arrow streams as a source's rows, one at a time, and proves that the engine reads them.
 * @throws FlowForgeError `INVALID_INPUT`
 */
export const storeChunks = async (
  place: Workplace,
  { blobStore, tables }: Parts,
  { fileName, options }: Pick<File, 'fileName' | 'options'>,
  chunks: AsyncGenerator<ColumnarChunk>,
  notes: readonly string[]
): Promise<PreparedSource> => {
  let rows = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      rows += chunk.rows
      yield chunk.bytes
    }
  }
  const { key, isNew } = await blobStore.putStream({
    prefix: 'prepared/',
    stream: toArrowFile(counted()),
    contentType: 'application/vnd.apache.arrow.stream'
  })
  try {
    const blob = await openSourceBlob(blobStore, key)
    const found = await arrowColumns(place.session, await firstPiece(blob))
    const { types = {} } = options
    checkTypedColumns(
      fileName,
      found.map(({ name }) => name),
      types
    )
    const columns = found.map((column) => {
      const type = ownValue(types, column.name)
      return type === undefined ? column : typedColumn(column.name, type)
    })
    const prepared: PreparedSource = { reader: { type: 'arrow' }, blobKey: key, columns, rows, notes }
    await tables.relation(place, prepared)
    return prepared
  } catch (thrown) {
    // Other sources may have come to the same rows.
    if (isNew) await blobStore.remove({ key })
    throw thrown
  }
}

const NAMES = { 'read-parquet': 'Parquet', 'read-arrow': 'Arrow' } as const

const explain = (said: string): string => {
  if (/lz4/i.test(said)) return 'it is compressed with LZ4. Write it with ZSTD or without compression'
  // Where the reader itself gave up: a length or an offset that leads out of the file.
  if (/unreachable|RuntimeError|memory access|RangeError/i.test(said)) return 'its inside is damaged'
  return said.replace(/^(Error: )?/, '').replace(/\.$/, '')
}

/** Turns a Parquet or Arrow file into rows that can be scanned, a batch at a time; it is proven to its last offset on the way. */
export const prepareColumnar = async (
  place: Workplace,
  parts: Parts,
  file: File,
  type: 'read-parquet' | 'read-arrow'
): Promise<PreparedSource> => {
  const { fileName } = file
  const blob = await openSourceBlob(parts.blobStore, file.blobKey)
  try {
    return await storeChunks(place, parts, file, columnarChunks({ type, file: blob }, place.signal), [])
  } catch (thrown) {
    const error = toFlowForgeError(thrown)
    const { said, reason } = error.details
    if (error.code !== 'INVALID_INPUT' || (typeof said !== 'string' && reason !== 'query')) throw error
    const what = typeof said === 'string' ? explain(said) : error.message
    const message = `"${fileName}" cannot be read as ${NAMES[type]}: ${what}. Check that it was written and copied to its end.`
    throw new FlowForgeError('INVALID_INPUT', message, { fileName, line: 0, reason: 'broken' }, thrown)
  }
}
