import type { RecordBatch } from 'apache-arrow'
import type { Column } from '../../workflow/value-type.ts'
import { readPiece } from './arrow-file.ts'
import { batchesIn } from './arrow-pieces.ts'
import { cellReaders, type CellReader } from './arrow-rows.ts'
import type { ArrowLayout } from './compute-engine.ts'

/** Rows of an artifact, as they lie in the blob store. */
export type StoredTable = {
  readonly blob: Blob
  readonly layout: ArrowLayout
  readonly columns: readonly Column[]
}

export type BatchReaders = { readonly rows: number; readonly readers: readonly CellReader[] }

export const batchesOf = async function* ({ blob, layout }: StoredTable): AsyncGenerator<RecordBatch> {
  for (const piece of layout.pieces) {
    yield* batchesIn(await readPiece(blob, piece))
  }
}

/** A table's batches, one piece in memory at a time. */
export const tableBatches = async function* (table: StoredTable): AsyncGenerator<BatchReaders> {
  for await (const batch of batchesOf(table)) {
    yield { rows: batch.numRows, readers: cellReaders(batch, table.columns) }
  }
}
