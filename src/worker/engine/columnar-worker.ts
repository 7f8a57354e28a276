/**
 * Reads and writes Parquet, and proves Arrow files, beside FlowForge's own worker: a file made to break its reader
 * breaks nothing but this worker, which is ended after each file.
 */
import init, {
  Compression,
  ParquetFile,
  Table,
  transformParquetStream,
  writeParquet,
  WriterPropertiesBuilder,
  type RecordBatch
} from 'parquet-wasm/esm'
import wasmUrl from 'parquet-wasm/esm/parquet_wasm_bg.wasm?url'
import { readPiece } from './arrow-file.ts'
import { arrowMessages } from './arrow-messages.ts'
import type { ArrowLayout } from './compute-engine.ts'

/** What is asked of the worker; every job answers with chunks of bytes, one for each time that it is asked. */
export type ColumnarJob =
  /** Chunks are complete Arrow IPC streams. */
  | { readonly type: 'read-parquet'; readonly file: Blob }
  | { readonly type: 'read-arrow'; readonly file: Blob }
  /** Chunks are a Parquet file, from an artifact's pieces. */
  | { readonly type: 'write-parquet'; readonly table: Blob; readonly layout: ArrowLayout }

export type ColumnarAnswer =
  | { readonly type: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer>; readonly rows: number }
  | { readonly type: 'end' }
  | { readonly type: 'failed'; readonly message: string }

type Chunk = { readonly bytes: Uint8Array; readonly rows: number }

/** Rows that are decoded at a time. */
const BATCH_ROWS = 65_536
const ROW_GROUP_ROWS = 262_144

const readParquet = async function* (file: Blob): AsyncGenerator<Chunk> {
  const parquet = await ParquetFile.fromFile(file)
  if (parquet.metadata().fileMetadata().numRows() === 0) {
    yield { bytes: parquet.schema().intoIPCStream(), rows: 0 }
    return
  }
  const batches: ReadableStream<RecordBatch> = await parquet.stream({ batchSize: BATCH_ROWS, concurrency: 1 })
  const reader = batches.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    const rows = next.value.numRows
    yield { bytes: next.value.intoIPCStream(), rows }
  }
}

const readArrow = async function* (file: Blob): AsyncGenerator<Chunk> {
  for await (const { bytes, rows } of arrowMessages(file)) {
    // Decoded and encoded anew: what comes out has been checked to its last offset, and is not compressed any more.
    yield { bytes: Table.fromIPCStream(bytes).intoIPCStream(), rows }
  }
}

const recordBatches = async function* (table: Blob, layout: ArrowLayout): AsyncGenerator<RecordBatch> {
  for (const piece of layout.pieces) yield* Table.fromIPCStream(await readPiece(table, piece)).recordBatches()
}

const batchesOf = (table: Blob, layout: ArrowLayout): ReadableStream<RecordBatch> => {
  const batches = recordBatches(table, layout)
  return new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await batches.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      }
    },
    { highWaterMark: 0 }
  )
}

const parquetFile = async function* (table: Blob, layout: ArrowLayout): AsyncGenerator<Chunk> {
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(ROW_GROUP_ROWS)
    .setCreatedBy('FlowForge')
    .build()
  const [first] = layout.pieces
  if (first === undefined || layout.pieces.every(({ rows }) => rows === 0)) {
    // A stream takes its schema from its first batch, and here there is none.
    const empty = first === undefined ? new Uint8Array() : await readPiece(table, first)
    yield { bytes: writeParquet(Table.fromIPCStream(empty), properties), rows: 0 }
    return
  }
  const file: ReadableStream<Uint8Array> = await transformParquetStream(batchesOf(table, layout), properties)
  const reader = file.getReader()
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    yield { bytes: next.value, rows: 0 }
  }
}

const chunksOf = (job: ColumnarJob): AsyncGenerator<Chunk> => {
  switch (job.type) {
    case 'read-parquet':
      return readParquet(job.file)
    case 'read-arrow':
      return readArrow(job.file)
    case 'write-parquet':
      return parquetFile(job.table, job.layout)
  }
}

const answering = (job: ColumnarJob): (() => Promise<ColumnarAnswer>) => {
  const chunks = chunksOf(job)
  const started = init({ module_or_path: new URL(wasmUrl, globalThis.location.href).href })
  return async () => {
    try {
      await started
      const { done, value } = await chunks.next()
      if (done === true) return { type: 'end' }
      const bytes = value.bytes.slice()
      return { type: 'chunk', bytes, rows: value.rows }
    } catch (thrown) {
      return { type: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) }
    }
  }
}

globalThis.addEventListener('message', ({ data, ports }: MessageEvent<ColumnarJob>) => {
  const [port] = ports
  if (port === undefined) return
  const next = answering(data)
  port.addEventListener('message', () => {
    next()
      .then((answer) => port.postMessage(answer, answer.type === 'chunk' ? [answer.bytes.buffer] : []))
      .catch((thrown: unknown) => console.error(thrown))
  })
  port.start()
})
