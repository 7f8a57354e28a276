import { AsyncDuckDB, DuckDBAccessMode, VoidLogger } from '@duckdb/duckdb-wasm'
import wasmUrl from '@duckdb/duckdb-wasm/dist/duckdb-eh.wasm?url'
import { FlowForgeError } from '../../db/ports.ts'
import { createDeferred } from '../deferred.ts'
import { createFileReads, type FileReads } from './file-reads.ts'

/** A started DuckDB in a worker of its own. */
export type DuckDBInstance = {
  readonly db: AsyncDuckDB
  /** Rejects with `WORKER_LOST` when the worker dies, of whatever, or is terminated; otherwise never settles. */
  readonly lost: Promise<never>
  /** Size of the engine's memory: it never shrinks while the worker lives. */
  readonly memoryBytes: () => Promise<number>
  readonly reads: FileReads
  /** A connection that nobody has. */
  readonly connect: () => Promise<number>
  /** Makes the next connection ahead, so that whoever wants one need not wait. */
  readonly connectAhead: () => void
  readonly terminate: () => void
}

/** The folder that every registered file is named under: all else is out of the engine's reach. */
export const FILE_FOLDER = 'data/'

/**
 * In this order: once extensions cannot load themselves a call that needs one fails instead of breaking the instance,
 * and once the configuration is locked no query can undo it. Spilling does not work in WASM: there is no
 * `temp_directory`.
 */
const settings = (memoryBudget: number): readonly string[] => [
  'SET autoinstall_known_extensions = false',
  'SET autoload_known_extensions = false',
  `SET memory_limit = '${Math.floor(memoryBudget / 1_000)}KB'`,
  `SET allowed_directories = ['${FILE_FOLDER}']`,
  'SET enable_external_access = false',
  'SET lock_configuration = true'
]

const lostError = (cause?: unknown): FlowForgeError =>
  new FlowForgeError(
    'WORKER_LOST',
    'The compute engine stopped before it had finished. It starts again by itself: try once more.',
    {},
    cause
  )

/** Starts DuckDB from files of our own origin, so that it starts offline, too. The budget, in bytes, holds for its life. */
export const startDuckDB = async (memoryBudget: number): Promise<DuckDBInstance> => {
  const name = `duckdb ${crypto.randomUUID()}`
  const worker = new Worker(new URL('./duckdb-worker.ts', import.meta.url), {
    type: 'module',
    name
  })
  const loss = createDeferred<never>()
  // Nobody need be waiting when it happens.
  loss.promise.catch(() => undefined)
  worker.addEventListener('error', (event) => loss.reject(lostError(event.message)))
  const db = new AsyncDuckDB(new VoidLogger(), worker)
  const reading = new MessageChannel()
  worker.postMessage({ type: 'flowforge-reads' }, [reading.port2])
  const reads = createFileReads(reading.port1)
  const terminate = (): void => {
    worker.terminate()
    reading.port1.close()
    loss.reject(lostError())
  }
  /** Asks what the worker answers beside DuckDB; one that is gone never does. */
  const ask = (type: 'flowforge-memory' | 'flowforge-life'): Promise<unknown> => {
    const { port1, port2 } = new MessageChannel()
    const answer = new Promise((resolve) => {
      port1.addEventListener('message', ({ data }) => resolve(data))
      port1.start()
      worker.postMessage({ type }, [port2])
    })
    return Promise.race([answer, loss.promise]).finally(() => port1.close())
  }
  const open = async (): Promise<void> => {
    await ask('flowforge-life')
    const ended = navigator.locks.request(name, () => loss.reject(lostError()))
    // Refused only where this worker itself is going away.
    ended.catch(() => undefined)
    await db.instantiate(new URL(wasmUrl, globalThis.location.href).href)
    await db.open({
      path: ':memory:',
      accessMode: DuckDBAccessMode.AUTOMATIC,
      query: { castBigIntToDouble: false, castDecimalToDouble: false, castTimestampToDate: false }
    })
    const connection = await db.connect()
    for (const setting of settings(memoryBudget)) await connection.query(setting)
    await connection.close()
  }
  try {
    await Promise.race([open(), loss.promise])
  } catch (cause) {
    worker.terminate()
    const message = 'The compute engine could not start. Reload the page; if you are offline, go online once.'
    throw new FlowForgeError('WORKER_LOST', message, {}, cause)
  }
  const memoryBytes = async (): Promise<number> => Number(await ask('flowforge-memory'))
  let ahead: Promise<number> | null = null
  const connectAhead = (): void => {
    if (ahead !== null) return
    ahead = db.connectInternal()
    // Whoever wants it is told.
    ahead.catch(() => undefined)
  }
  const connect = (): Promise<number> => {
    const next = ahead ?? db.connectInternal()
    ahead = null
    return next
  }
  connectAhead()
  return { db, lost: loss.promise, memoryBytes, reads, connect, connectAhead, terminate }
}
