import type { DbContext } from '../db/ports.ts'
import { STAGED_PREFIX, type Once } from './once.ts'

const MOVE = `INSERT INTO blobs (key, content_type, size, sha256, created_at, bytes, file_name)
  SELECT ?, content_type, size, sha256, created_at, bytes, file_name FROM blobs WHERE key = ?`

/**
 * Streams a blob in under a name of the call's own, outside of a transaction, which others would wait for. It gets its
 * key in one transaction with the note of the call: sent again, it does not undo what others have put there since.
 */
export const putLargeBlob = async (
  context: DbContext,
  once: Once,
  callId: string,
  { key, data, contentType }: Parameters<DbContext['blobStore']['put']>[0]
): Promise<void> => {
  const blob = data instanceof Blob ? data : new Blob([new Uint8Array(data)])
  const staged = await context.blobStore.putStream({
    prefix: `${STAGED_PREFIX}${callId}:`,
    stream: blob.stream(),
    contentType: contentType ?? (blob.type === '' ? undefined : blob.type)
  })
  await once(callId, async (tx) => {
    await tx.blobStore.remove({ key })
    await tx.projectionStore.query({ sql: MOVE, params: [key, staged.key] })
  })
  await context.blobStore.remove({ key: staged.key })
}
