import { FlowForgeError } from '../../db/ports.ts'
import type { ColumnarAnswer, ColumnarJob } from './columnar-worker.ts'
import { canceledError, throwIfCanceled } from './engine-errors.ts'

export type ColumnarChunk = { readonly bytes: Uint8Array<ArrayBuffer>; readonly rows: number }

/**
 * Has a worker of its own do one job on a Parquet or Arrow file, a chunk whenever one is asked for, and ends it: also
 * where the job failed, where nobody asks any more, and on a cancel.
 * @throws FlowForgeError `INVALID_INPUT` with the reader's own words in `details.said`, `CANCELED`
 */
export const columnarChunks = async function* (
  job: ColumnarJob,
  signal?: AbortSignal
): AsyncGenerator<ColumnarChunk> {
  throwIfCanceled(signal)
  const worker = new Worker(new URL('./columnar-worker.ts', import.meta.url), {
    type: 'module',
    name: 'columnar'
  })
  const { port1, port2 } = new MessageChannel()
  let settle: (answer: ColumnarAnswer) => void = () => undefined
  let giveUp: (reason: unknown) => void = () => undefined
  const onAbort = (): void => giveUp(canceledError())
  port1.addEventListener('message', ({ data }: MessageEvent<ColumnarAnswer>) => settle(data))
  worker.addEventListener('error', (event) => {
    // Answered here; the console need not speak of it.
    event.preventDefault()
    settle({ type: 'failed', message: event.message })
  })
  signal?.addEventListener('abort', onAbort, { once: true })
  const ask = (): Promise<ColumnarAnswer> =>
    new Promise((resolve, reject) => {
      settle = resolve
      giveUp = reject
      port1.postMessage('next')
    })
  try {
    port1.start()
    worker.postMessage(job, [port2])
    for (let answer = await ask(); answer.type !== 'end'; answer = await ask()) {
      if (answer.type === 'failed') {
        throw new FlowForgeError('INVALID_INPUT', answer.message, { said: answer.message })
      }
      yield { bytes: answer.bytes, rows: answer.rows }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort)
    port1.close()
    worker.terminate()
  }
}
