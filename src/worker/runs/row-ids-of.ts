import { FlowForgeError, type BlobStorePort } from '../../db/ports.ts'
import { rowIdsAt } from '../../workflow/row-ids/row-id-file.ts'
import type { RowIds } from '../../workflow/run/events.ts'
import { isWhole } from './stored-artifacts.ts'

/**
 * The marks of one row of an artifact, in their order; null where there is none.
 * @throws FlowForgeError `CORRUPT` where the bytes are gone, or not those that were written
 */
export const rowIdsOf = async (
  blobStore: BlobStorePort,
  rowIds: RowIds,
  row: number
): Promise<readonly (number | null)[]> => {
  const blob = await blobStore.open({ key: rowIds.uri })
  if (blob === null || !(await isWhole(blobStore, rowIds))) {
    const message =
      'What was kept of where these rows come from is gone or damaged. Run the workflow again to have it anew.'
    throw new FlowForgeError('CORRUPT', message, { uri: rowIds.uri })
  }
  const read = async (from: number, to: number): Promise<Uint8Array> =>
    new Uint8Array(await blob.slice(from, to).arrayBuffer())
  return rowIdsAt(read, blob.size, row)
}
