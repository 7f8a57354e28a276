import { FlowForgeError, type BlobStorePort } from '../../db/ports.ts'

/** @throws FlowForgeError `NOT_FOUND` where the rows are gone */
export const openArtifact = async (blobStore: BlobStorePort, key: string): Promise<Blob> => {
  const blob = await blobStore.open({ key })
  if (blob !== null) return blob
  throw new FlowForgeError('NOT_FOUND', 'The rows of this result are gone. Run the workflow again.', { key })
}
