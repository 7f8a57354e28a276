import sqlite3InitModule, { type Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { FlowForgeError, isFlowForgeError } from '../flowforge-error.ts'
import { memoryFiles, poolFiles, type DatabaseFiles } from './database-files.ts'
import { toFileFailure } from './file-failures.ts'
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts'
import { watchVfsFailures } from './vfs-failures.ts'
import { gatherLogWrites } from './wal-writing.ts'

/** Where the database's files live in OPFS, and the name of the database among them. */
export const DEFAULT_DIRECTORY = 'flowforge-db'
/** Database, WAL and journal, twice; `database-files.ts` makes room for more. */
const CAPACITY = 6
/** After a reload, the handles of the page before may linger for a moment. */
const RETRIES_MS = [20, 50, 100, 200, 400, 800, 1_600]

let started: Promise<Sqlite3Static> | null = null
export const startSqlite = (): Promise<Sqlite3Static> => {
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

const openPool = async (sqlite3: Sqlite3Static, directory: string): Promise<DatabaseFiles> => {
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
      gatherLogWrites(sqlite3, pool)
      return poolFiles(sqlite3, pool)
    } catch (thrown) {
      const wait = RETRIES_MS[attempt]
      if (!isHeld(thrown)) {
        // oxlint-disable-next-line no-await-in-loop -- the end of it
        const failure = await toFileFailure(sqlite3, thrown, 'opening the storage')
        throw failure ?? unavailable('its file system failed', thrown)
      }
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

/**
 * What a program that was killed had written and not yet flushed is found in the WAL, and read. It has to last before
 * anybody is answered for it: a call that is sent again under its id is.
 */
const keepRecovered = (database: SqliteDatabase): void => {
  try {
    database.script('PRAGMA wal_checkpoint(PASSIVE)')
  } catch (thrown) {
    // The WAL is flushed before the first page is copied out of it; without room for that copy it goes on as it is.
    if (!isFlowForgeError(thrown) || thrown.code !== 'STORAGE_FULL') throw thrown
  }
}

/** Opens the place of the durable databases. @throws FlowForgeError `STORAGE_UNAVAILABLE`; it never falls back to memory */
export const openOpfsFiles = async (directory = DEFAULT_DIRECTORY): Promise<DatabaseFiles> => {
  if (typeof navigator === 'undefined' || typeof navigator.storage?.getDirectory !== 'function') {
    throw unavailable('it has no origin private file system')
  }
  await navigator.storage.getDirectory().catch((cause: unknown) => {
    throw unavailable('access to its file system was refused', cause)
  })
  return openPool(await startSqlite(), directory)
}

export const openMemoryFiles = async (): Promise<DatabaseFiles> => memoryFiles(await startSqlite())

const checkRules = (database: SqliteDatabase): void => {
  expectPragma(database, 'foreign_keys', 'ON')
  // Otherwise INSERT OR REPLACE deletes rows without asking their DELETE triggers: an event could be overwritten.
  expectPragma(database, 'recursive_triggers', 'ON')
}

/** Opens a file as the one that the program works on: durable over OPFS, its rules on. */
export const openMainDatabase = async (
  files: DatabaseFiles,
  name: string,
  storage: 'opfs' | 'memory'
): Promise<SqliteDatabase> => {
  const database = await files.open(name)
  try {
    if (storage === 'opfs') {
      // EXCLUSIVE comes first: only then does WAL work without shared memory.
      expectPragma(database, 'locking_mode', 'EXCLUSIVE')
      expectPragma(database, 'journal_mode', 'WAL')
      expectPragma(database, 'synchronous', 'FULL')
    }
    checkRules(database)
    if (storage === 'opfs') keepRecovered(database)
    return database
  } catch (thrown) {
    database.close()
    if (isFlowForgeError(thrown)) throw thrown
    throw new FlowForgeError('INTERNAL', `The database ${name} could not be opened.`, { name }, thrown)
  }
}

/** One database in memory, by itself: for tests, and for replicas. */
export const openMemoryDatabase = async (): Promise<SqliteDatabase> => {
  const sqlite3 = await startSqlite()
  const database = openSqliteDatabase(sqlite3, new sqlite3.oo1.DB(':memory:'))
  checkRules(database)
  return database
}
