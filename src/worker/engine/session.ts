import type { DuckDBDataProtocol } from '@duckdb/duckdb-wasm'
import { tableFromIPC } from 'apache-arrow'
import { FILE_FOLDER, type DuckDBInstance } from './duckdb-instance.ts'
import { canceledError, throwIfCanceled, toEngineError } from './engine-errors.ts'

export type SmallRow = Readonly<Record<string, unknown>>

/**
 * One connection for one piece of work: its temporary tables, views and variables go when it closes, and its cancel
 * cannot hit another's query. Every call fails with a `FlowForgeError`.
 */
export type Session = {
  /** Runs one statement to its end; canceled when the session's signal says so. */
  run(sql: string): Promise<void>
  /** The same, for a statement that takes no time: one round trip, and no cancel before it is over. */
  runShort(sql: string): Promise<void>
  /** The same, without waiting for it: whatever is run next comes after it, and fails with it. */
  runAhead(sql: string): void
  /** The same as `run`, for a few rows. */
  rows(sql: string): Promise<readonly SmallRow[]>
  /** A query's answer as Arrow IPC: first the schema, then record batches, without the end marker. */
  stream(sql: string): AsyncGenerator<Uint8Array>
  /** Parses and binds one statement and runs nothing. */
  check(sql: string): Promise<void>
  /** Runs one statement with bound values. */
  bind(sql: string, values: readonly unknown[]): Promise<void>
  /** Appends one complete Arrow IPC stream to a table, which it creates if told so. */
  insertArrow(bytes: Uint8Array, table: { name: string; create: boolean }): Promise<void>
  /** Lets queries read a blob by the answered path, until the session closes. */
  registerFile(blob: Blob): Promise<string>
  /** Runs a short statement of our own, also after a cancel. */
  tidy(sql: string): Promise<void>
  /** Called before the connection closes. */
  onClose(listener: () => Promise<void>): void
  close(): Promise<void>
}

// The enumeration's values come with the library's type alone: the library is loaded where the engine is started.
const BROWSER_FILEREADER: DuckDBDataProtocol.BROWSER_FILEREADER = 2

let files = 0

export const openSession = async (instance: DuckDBInstance, signal: AbortSignal): Promise<Session> => {
  const { db, lost } = instance
  const connection = await instance.connect()
  const registered: string[] = []
  const closing: (() => Promise<void>)[] = []

  /** What was sent and not waited for. */
  let ahead: Promise<unknown> | null = null

  const plainly = async <T>(work: () => Promise<T>): Promise<T> => {
    throwIfCanceled(signal)
    const before = ahead
    ahead = null
    try {
      // A worker that is gone answers nothing any more. What was sent before was answered before, and says why.
      const [, answer] = await Promise.race([Promise.all([before, work()]), lost])
      return answer
    } catch (thrown) {
      throw signal.aborted ? canceledError() : toEngineError(thrown)
    }
  }

  const stop = async (): Promise<never> => {
    await db.cancelPendingQuery(connection)
    throw canceledError()
  }

  const start = async (sql: string): Promise<Uint8Array> => {
    let header = await db.startPendingQuery(connection, sql, true)
    while (header === null) {
      header = signal.aborted ? await stop() : await db.pollPendingQuery(connection)
    }
    return header
  }

  /** The next batch; null at the end. */
  const fetch = async (): Promise<Uint8Array | null> => {
    for (;;) {
      if (signal.aborted) return stop()
      const batch = await db.fetchQueryResults(connection)
      if (batch !== null) return batch.length === 0 ? null : batch
    }
  }

  const stream = async function* (sql: string): AsyncGenerator<Uint8Array> {
    yield await plainly(() => start(sql))
    // The engine makes the next batch while whoever reads is busy with this one.
    let next = plainly(fetch)
    try {
      for (;;) {
        const batch = await next
        if (batch === null) return
        next = plainly(fetch)
        // Nobody may come back for it.
        next.catch(() => undefined)
        yield batch
      }
    } finally {
      // The connection is not spoken to by anybody else before that is over.
      await next.catch(() => undefined)
    }
  }

  const collect = async (sql: string): Promise<Uint8Array[]> => {
    const batches: Uint8Array[] = []
    for await (const batch of stream(sql)) batches.push(batch)
    return batches
  }

  return {
    run: async (sql) => void (await collect(sql)),
    runShort: (sql) => plainly(async () => void (await db.runQuery(connection, sql))),
    runAhead: (sql) => {
      const sent = plainly(() => db.runQuery(connection, sql))
      sent.catch(() => undefined)
      ahead = sent
    },
    rows: async (sql) => toSmallRows(await collect(sql)),
    stream,
    check: (sql) =>
      plainly(async () => {
        const statement = await db.createPrepared(connection, sql)
        await db.closePrepared(connection, statement)
      }),
    bind: (sql, values) =>
      plainly(async () => {
        const statement = await db.createPrepared(connection, sql)
        try {
          await db.runPrepared(connection, statement, [...values])
        } finally {
          await db.closePrepared(connection, statement)
        }
      }),
    insertArrow: (bytes, { name, create }) =>
      plainly(() => db.insertArrowFromIPCStream(connection, bytes, { name, create })),
    registerFile: (blob) =>
      plainly(async () => {
        files += 1
        const path = `${FILE_FOLDER}${files}`
        await db.registerFileHandle(path, blob, BROWSER_FILEREADER, true)
        registered.push(path)
        return path
      }),
    tidy: async (sql) => void (await db.runQuery(connection, sql)),
    onClose: (listener) => void closing.push(listener),
    close: async () => {
      for (const listener of closing) await listener()
      await db.disconnect(connection)
      if (registered.length > 0) await db.dropFiles(registered)
      instance.connectAhead()
    }
  }
}

/** The library's row objects are proxies that hide their members; columns are read instead. */
const toSmallRows = (batches: readonly Uint8Array[]): readonly SmallRow[] => {
  const table = tableFromIPC(batches)
  return Array.from({ length: table.numRows }, (_, index) =>
    Object.fromEntries(
      table.schema.fields.map(({ name }, at): [string, unknown] => [name, table.getChildAt(at)?.get(index)])
    )
  )
}
