import { FlowForgeError, toFlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import type { Column } from '../../workflow/value-type.ts'
import { toArrowFile } from './arrow-file.ts'
import type { PreparedSource } from './compute-engine.ts'
import type { SourceTables } from './source-tables.ts'
import type { Workplace } from './sessions.ts'

type Parts = { readonly blobStore: BlobStorePort; readonly tables: SourceTables }

/** Writes rows as Arrow once, and proves that each value fits its column's type. */
export const storeRows = async (
  place: Workplace,
  { blobStore, tables }: Parts,
  read: {
    readonly fileName: string
    readonly columns: readonly Column[]
    readonly rows: number
    readonly pieces: AsyncGenerator<Uint8Array>
    readonly notes: readonly string[]
  }
): Promise<PreparedSource> => {
  const { fileName, columns, rows, notes } = read
  const { key, isNew } = await blobStore.putStream({
    prefix: 'prepared/',
    stream: toArrowFile(read.pieces),
    contentType: 'application/vnd.apache.arrow.stream'
  })
  const prepared: PreparedSource = { reader: { type: 'arrow' }, blobKey: key, columns, rows, notes }
  try {
    await tables.relation(place, prepared)
    return prepared
  } catch (thrown) {
    // Other sources may have come to the same rows.
    if (isNew) await blobStore.remove({ key })
    const error = toFlowForgeError(thrown)
    if (error.code !== 'INVALID_INPUT' || error.details['reason'] !== 'query') throw error
    const message = `"${fileName}": a value does not fit the type chosen for its column. ${error.message}`
    throw new FlowForgeError('INVALID_INPUT', message, { fileName, line: 0, reason: 'conversion' }, thrown)
  }
}
