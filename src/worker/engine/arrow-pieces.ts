import { MessageReader, RecordBatchReader, type RecordBatch } from 'apache-arrow'
import { clearRemains, schemaOf } from './arrow-remains.ts'
import type { ArrowLayout } from './compute-engine.ts'

/** Large enough to be read in a stroke, small enough to be held without a thought. */
const PIECE_BYTES = 16 * 1024 * 1024

/** What ends an Arrow IPC stream: a continuation mark and a message of length 0. The engine leaves it out. */
export const END_MARKER: Uint8Array<ArrayBuffer> = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])

/** Rows in the messages of an Arrow IPC fragment, without decoding them. */
export const rowsIn = (bytes: Uint8Array): number => {
  let rows = 0
  const reader = new MessageReader(bytes)
  for (const message of reader) {
    if (message.isRecordBatch()) rows += message.header().length
    reader.readMessageBody(message.bodyLength)
  }
  return rows
}

export type PieceWriter = {
  readonly stream: ReadableStream<Uint8Array>
  /** Complete when the stream has ended. */
  readonly layout: () => ArrowLayout
  readonly rows: () => number
}

/**
 * Cuts a query's answer (a schema, then record batches) into pieces that are complete Arrow IPC streams, so that each
 * can be read by itself, and equal rows are equal bytes. An answer without rows is one piece with the schema alone.
 */
export const toPieces = (
  batches: AsyncGenerator<Uint8Array>,
  onRows: (rows: number) => void = () => undefined
): PieceWriter => {
  const pieces: { offset: number; bytes: number; rows: number }[] = []
  let total = 0

  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    const first = await batches.next()
    if (first.done === true) throw new Error('The engine gave no schema.')
    const schema = first.value
    const columns = schemaOf(schema)
    let piece = { offset: 0, bytes: 0, rows: 0 }
    const end = (): Uint8Array => {
      piece.bytes += END_MARKER.length
      pieces.push(piece)
      piece = { offset: piece.offset + piece.bytes, bytes: 0, rows: 0 }
      return END_MARKER
    }
    for await (const batch of batches) {
      if (piece.bytes === 0) {
        piece.bytes += schema.length
        yield schema
      }
      clearRemains(columns, batch)
      const rows = rowsIn(batch)
      piece.bytes += batch.length
      piece.rows += rows
      total += rows
      onRows(total)
      yield batch
      if (piece.bytes >= PIECE_BYTES) yield end()
    }
    if (piece.bytes > 0 || pieces.length === 0) {
      if (piece.bytes === 0) {
        piece.bytes += schema.length
        yield schema
      }
      yield end()
    }
  }

  const source = chunks()
  const stream = new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { done, value } = await source.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      cancel: async () => {
        await batches.return(undefined)
      }
    },
    { highWaterMark: 0 }
  )
  return { stream, layout: () => ({ pieces }), rows: () => total }
}

/** The record batches of one piece. */
export const batchesIn = (piece: Uint8Array): RecordBatch[] => [...RecordBatchReader.from(piece)]
