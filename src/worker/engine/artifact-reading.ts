import type { RecordBatch } from 'apache-arrow'
import type { BlobStorePort } from '../../db/ports.ts'
import { openArtifact } from './artifact-blob.ts'
import { readPiece } from './arrow-file.ts'
import { batchesIn } from './arrow-pieces.ts'
import { toRows } from './arrow-rows.ts'
import type { ArrowLayout, ComputeEngine } from './compute-engine.ts'
import { pageColumns } from './pages.ts'

/** Reads slices of artifacts, decoding only the pieces that they lie in; the last piece is kept, since people scroll. */
export const createArtifactReader = (blobStore: BlobStorePort): ComputeEngine['readArtifact'] => {
  let last: { readonly key: string; readonly batches: readonly RecordBatch[] } | null = null

  const batchesOf = async (
    blobKey: string,
    piece: ArrowLayout['pieces'][number]
  ): Promise<readonly RecordBatch[]> => {
    const key = `${blobKey} ${piece.offset}`
    if (last?.key === key) return last.batches
    const batches = batchesIn(await readPiece(await openArtifact(blobStore, blobKey), piece))
    last = { key, batches }
    return batches
  }

  return async ({ blobKey, layout, columns, offset, limit }) => {
    const rows: Record<string, unknown>[] = []
    const end = offset + limit
    let before = 0
    for (const piece of layout.pieces) {
      const after = before + piece.rows
      if (after > offset && before < end) {
        let at = before
        for (const batch of await batchesOf(blobKey, piece)) {
          const from = Math.max(offset - at, 0)
          const to = Math.min(end - at, batch.numRows)
          if (from < to) rows.push(...toRows(batch, columns, from, to))
          at += batch.numRows
        }
      }
      before = after
    }
    return { columns: pageColumns(columns), rows, total: before }
  }
}
