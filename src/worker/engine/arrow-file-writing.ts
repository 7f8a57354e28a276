import { AsyncByteQueue, RecordBatchFileWriter, type RecordBatch } from 'apache-arrow'

/** Takes what the library writes as soon as it is written; the library's own queue would hold the whole file. */
class Taking extends AsyncByteQueue<Uint8Array> {
  private taken: Uint8Array[] = []
  override write(chunk: Uint8Array | ArrayBuffer): void {
    const bytes = chunk instanceof Uint8Array ? chunk : new Uint8Array(chunk)
    if (bytes.length > 0) this.taken.push(bytes)
  }
  take(): Uint8Array[] {
    const { taken } = this
    this.taken = []
    return taken
  }
}

/** Record batches as an Arrow IPC file, a batch at a time; the first one brings the schema, also where it has no rows. */
export const arrowFileBytes = async function* (
  batches: AsyncGenerator<RecordBatch>
): AsyncGenerator<Uint8Array> {
  const sink = new Taking()
  const writer = new RecordBatchFileWriter()
  let started = false
  for await (const batch of batches) {
    if (!started) writer.reset(sink, batch.schema)
    started = true
    writer.write(batch)
    yield* sink.take()
  }
  if (!started) throw new Error('A table has at least one piece, and with it a schema.')
  writer.finish()
  yield* sink.take()
}
