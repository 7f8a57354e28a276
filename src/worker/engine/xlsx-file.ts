import { FlowForgeError } from '../../db/ports.ts'
import { canceledError, throwIfCanceled } from './engine-errors.ts'
import type { Losses } from './sink-losses.ts'
import type { StoredTable } from './stored-table.ts'
import type { XlsxAnswer } from './xlsx-worker.ts'

/** Asks a worker of its own for a workbook, and ends it: with it goes the memory that it took. */
const askWorker = (
  { blob, layout, columns }: StoredTable,
  signal: AbortSignal | undefined
): Promise<XlsxAnswer> => {
  throwIfCanceled(signal)
  const worker = new Worker(new URL('./xlsx-worker.ts', import.meta.url), { type: 'module', name: 'xlsx' })
  const { port1, port2 } = new MessageChannel()
  let onAbort = (): void => undefined
  const answer = new Promise<XlsxAnswer>((resolve, reject) => {
    port1.addEventListener('message', ({ data }: MessageEvent<XlsxAnswer>) => resolve(data))
    worker.addEventListener('error', (event) => {
      // Answered here; the console need not speak of it.
      event.preventDefault()
      const message = `The workbook could not be put together: ${event.message}. Write CSV or Parquet, or fewer rows.`
      resolve({ ok: false, code: 'INVALID_INPUT', message, details: { reason: 'xlsx-failed' } })
    })
    onAbort = () => reject(canceledError())
    signal?.addEventListener('abort', onAbort, { once: true })
    port1.start()
    worker.postMessage({ blob, layout, columns } satisfies StoredTable, [port2])
  })
  return answer.finally(() => {
    signal?.removeEventListener('abort', onAbort)
    port1.close()
    worker.terminate()
  })
}

/**
 * A table as a workbook of one sheet.
 * @throws FlowForgeError `INVALID_INPUT` for a text that no cell holds, `CANCELED`
 */
export const toXlsx = async (
  table: StoredTable,
  losses: Losses,
  signal: AbortSignal | undefined
): Promise<Blob> => {
  const answer = await askWorker(table, signal)
  if (!answer.ok) throw new FlowForgeError(answer.code, answer.message, { ...answer.details })
  for (const { loss, column, count } of answer.losses) losses.note(loss, column, count)
  return new Blob([answer.bytes])
}
