/**
 * What the file system itself said. The pool answers SQLite with a bare SQLITE_IOERR, whatever the reason; the reason
 * goes to the library's error log, and the pool's own copy of it is gone with the next call of the file system.
 */
let latest: Error | null = null

/**
 * Keeps the failures that are logged from now on. To be called before the engine is started: the pool takes the log with
 * it then, and hears of no other later.
 */
export const watchVfsFailures = (): void => {
  Object.assign(globalThis, {
    // The library reads this name when it starts, and removes it.
    sqlite3ApiConfig: {
      error: (...logged: unknown[]): void => {
        latest = logged.find((each) => each instanceof Error) ?? latest
        console.error(...logged)
      }
    }
  })
}

/** The file system's latest failure, told once. */
export const takeVfsFailure = (): Error | undefined => {
  const failure = latest ?? undefined
  latest = null
  return failure
}

/** Whether a write failed for want of room: the browser says so, or wrote less than it was given. */
export const isOutOfRoom = (failure: Error | undefined): boolean =>
  failure !== undefined &&
  (failure.name === 'QuotaExceededError' || failure.message.includes('Unknown write() failure'))
