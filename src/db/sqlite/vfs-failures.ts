import type { Sqlite3Static } from '@sqlite.org/sqlite-wasm'

/**
 * What the file system itself said. The pool answers SQLite with a bare SQLITE_IOERR, whatever the reason; the reason
 * goes to the library's error log, and the pool's own copy of it is gone with the next call of the file system.
 */
const latest = new WeakMap<Sqlite3Static, { failure: Error | null }>()

/** Keeps the failures that are logged from now on. To be called before a pool is installed: it takes the log with it. */
export const watchVfsFailures = (sqlite3: Sqlite3Static): void => {
  if (latest.has(sqlite3)) return
  const kept: { failure: Error | null } = { failure: null }
  latest.set(sqlite3, kept)
  const { error } = sqlite3.config
  sqlite3.config.error = (...logged: unknown[]): void => {
    kept.failure = logged.find((each) => each instanceof Error) ?? kept.failure
    error.apply(sqlite3.config, logged)
  }
}

/** The file system's latest failure, told once. */
export const takeVfsFailure = (sqlite3: Sqlite3Static): Error | undefined => {
  const kept = latest.get(sqlite3)
  const failure = kept?.failure ?? undefined
  if (kept !== undefined) kept.failure = null
  return failure
}

/** Whether a write failed for want of room: the browser says so, or wrote less than it was given. */
export const isOutOfRoom = (failure: Error | undefined): boolean =>
  failure !== undefined &&
  (failure.name === 'QuotaExceededError' || failure.message.includes('Unknown write() failure'))
