import { FlowForgeError, fromWireError } from '../flowforge-error.ts'
import type { FileValue, ReadSqliteFile } from '../sqlite-file-port.ts'
import type { FileAnswer, OpenFile } from './messages.ts'

type Asking = { readonly ask: () => Promise<FileAnswer>; readonly end: () => void }

/** A worker that answers once each time that it is asked; a death or a cancel is an answer, too. */
const startWorker = (file: OpenFile, signal: AbortSignal | undefined): Asking => {
  const worker = new Worker(new URL('./sqlite-file-worker.ts', import.meta.url), {
    type: 'module',
    name: 'sqlite-file'
  })
  const { port1, port2 } = new MessageChannel()
  let settle: (answer: FileAnswer) => void = () => undefined
  let giveUp: (reason: unknown) => void = () => undefined
  const onAbort = (): void => giveUp(new FlowForgeError('CANCELED', 'Canceled.'))
  port1.addEventListener('message', ({ data }: MessageEvent<FileAnswer>) => settle(data))
  worker.addEventListener('error', (event) => {
    event.preventDefault()
    giveUp(
      new FlowForgeError('INVALID_INPUT', `its inside is damaged (${event.message})`, { reason: 'broken' })
    )
  })
  signal?.addEventListener('abort', onAbort, { once: true })
  port1.start()
  worker.postMessage(file, [port2])
  return {
    ask: () =>
      new Promise((resolve, reject) => {
        settle = resolve
        giveUp = reject
        port1.postMessage('next')
      }),
    end: () => {
      signal?.removeEventListener('abort', onAbort)
      port1.close()
      worker.terminate()
    }
  }
}

/** See `ReadSqliteFile`. */
export const readSqliteFile: ReadSqliteFile = async ({ file, table, query, signal }) => {
  if (signal?.aborted === true) throw new FlowForgeError('CANCELED', 'Canceled.')
  const { ask, end } = startWorker({ file, table, query }, signal)
  const rows = async function* (): AsyncGenerator<readonly FileValue[]> {
    try {
      for (;;) {
        const answer = await ask()
        if (answer.type === 'failed') throw fromWireError(answer.error)
        if (answer.type !== 'rows' || answer.rows.length === 0) return
        yield* answer.rows
      }
    } finally {
      end()
    }
  }
  try {
    const opened = await ask()
    if (opened.type === 'failed') throw fromWireError(opened.error)
    if (opened.type !== 'opened') throw new Error('A file is opened before its rows are read.')
    return { columns: opened.columns, tables: opened.tables, table: opened.table, rows: rows() }
  } catch (thrown) {
    end()
    throw thrown
  }
}
