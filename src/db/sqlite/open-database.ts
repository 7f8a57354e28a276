import sqlite3InitModule, { type Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { FlowForgeError, isFlowForgeError } from '../flowforge-error.ts'
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts'
import { watchVfsFailures } from './vfs-failures.ts'

/** Where the database's files live in OPFS, and the name of the database among them. */
export const DEFAULT_DIRECTORY = 'flowforge-db'
const FILE = '/flowforge.db'
/** Database, WAL, journal and what a rebuild or a backup may need beside them; the pool cannot grow while a file is being opened. */
const CAPACITY = 6
/** After a reload, the handles of the page before may linger for a moment. */
const RETRIES_MS = [20, 50, 100, 200, 400, 800, 1_600]

let started: Promise<Sqlite3Static> | null = null
const startSqlite = (): Promise<Sqlite3Static> => {
  if (started === null) watchVfsFailures()
  return (started ??= sqlite3InitModule())
}

/** Starts the engine without opening anything: half of what it takes to open, done before it is needed. */
export const prepareSqlite = (): void => {
  startSqlite().catch((thrown: unknown) => {
    // Opening starts it again, and tells whoever waits.
    started = null
    console.warn('SQLite could not be started ahead', thrown)
  })
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Whether a file could not be opened because somebody else has it open; Safari calls that an invalid state. */
export const isHeld = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  (thrown.name === 'NoModificationAllowedError' || thrown.name === 'InvalidStateError')

/** Opens a file again until whoever had it open has let go of it. */
export const openOnceFree = async <T>(open: () => Promise<T>): Promise<T> => {
  for (const wait of RETRIES_MS) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
      return await open()
    } catch (thrown) {
      if (!isHeld(thrown)) throw thrown
      // oxlint-disable-next-line no-await-in-loop -- see above
      await pause(wait)
    }
  }
  return open()
}

const unavailable = (why: string, cause?: unknown): FlowForgeError =>
  new FlowForgeError(
    'STORAGE_UNAVAILABLE',
    `This browser gives FlowForge no place to store data (${why}). Open it in a current Chrome, Edge, Firefox or Safari, outside of private browsing.`,
    {},
    cause
  )

const openPool = async (sqlite3: Sqlite3Static, directory: string): Promise<SqliteDatabase> => {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const pool = await sqlite3.installOpfsSAHPoolVfs({
        directory: `/${directory}`,
        name: `opfs-sahpool-${directory}`,
        initialCapacity: CAPACITY,
        // Without it a failed install deletes the whole pool, and with it the database that another tab is closing.
        preserveOnInitFailure: true,
        ...(attempt > 0 ? { forceReinitIfPreviouslyFailed: true } : {})
      })
      // The pool of a directory that this worker closed before.
      if (pool.isPaused()) await pool.unpauseVfs()
      const handle = new pool.OpfsSAHPoolDb(FILE)
      // Pausing lets go of the files, so that the next opener need not wait for this worker's end.
      return openSqliteDatabase(sqlite3, handle, () => pool.pauseVfs())
    } catch (thrown) {
      const wait = RETRIES_MS[attempt]
      if (!isHeld(thrown)) throw unavailable('its file system failed', thrown)
      if (wait === undefined) {
        const message =
          'The database is open elsewhere: another tab or window of FlowForge holds it. Close it and reload.'
        throw new FlowForgeError('STORAGE_UNAVAILABLE', message, { directory }, thrown)
      }
      await pause(wait)
    }
  }
}

const expectPragma = (database: SqliteDatabase, pragma: string, wanted: string): void => {
  database.script(`PRAGMA ${pragma} = ${wanted}`)
  const [row] = database.allOnce(`PRAGMA ${pragma}`)
  const found = String(Object.values(row ?? {})[0])
  const expected: Record<string, string> = { FULL: '2', ON: '1', EXCLUSIVE: 'exclusive', WAL: 'wal' }
  if (found === expected[wanted]) return
  throw new FlowForgeError(
    'INTERNAL',
    `PRAGMA ${pragma} is ${found}, not ${wanted}: commits would not be durable.`
  )
}

/** Opens the durable database. @throws FlowForgeError `STORAGE_UNAVAILABLE`; it never falls back to memory */
export const openOpfsDatabase = async (directory = DEFAULT_DIRECTORY): Promise<SqliteDatabase> => {
  if (typeof navigator === 'undefined' || typeof navigator.storage?.getDirectory !== 'function') {
    throw unavailable('it has no origin private file system')
  }
  await navigator.storage.getDirectory().catch((cause: unknown) => {
    throw unavailable('access to its file system was refused', cause)
  })
  const sqlite3 = await startSqlite()
  const database = await openPool(sqlite3, directory)
  try {
    // EXCLUSIVE comes first: only then does WAL work without shared memory.
    expectPragma(database, 'locking_mode', 'EXCLUSIVE')
    expectPragma(database, 'journal_mode', 'WAL')
    expectPragma(database, 'synchronous', 'FULL')
    expectPragma(database, 'foreign_keys', 'ON')
    // Otherwise INSERT OR REPLACE deletes rows without asking their DELETE triggers: an event could be overwritten.
    expectPragma(database, 'recursive_triggers', 'ON')
    return database
  } catch (thrown) {
    database.close()
    throw isFlowForgeError(thrown) ? thrown : unavailable('the database could not be opened', thrown)
  }
}

/** The same adapter over memory: for tests, and for replicas. */
export const openMemoryDatabase = async (): Promise<SqliteDatabase> => {
  const sqlite3 = await startSqlite()
  const database = openSqliteDatabase(sqlite3, new sqlite3.oo1.DB(':memory:'))
  expectPragma(database, 'foreign_keys', 'ON')
  expectPragma(database, 'recursive_triggers', 'ON')
  return database
}
