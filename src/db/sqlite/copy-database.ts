import { letOthersGo } from '../backup/turns.ts'
import { FlowForgeError } from '../flowforge-error.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { toStorageError } from './sqlite-errors.ts'

/** A few ms. */
const PAGES_A_TURN = 256

/** A copy that is being made. What the source's own connection writes meanwhile is carried over by SQLite. */
export type DatabaseCopy = {
  /** Copies some more pages; true once all are there. Copies nothing while the source's transaction is open. */
  readonly step: (pages: number) => boolean
  /** In pages, as of the last step. */
  readonly progress: () => { done: number; total: number }
  /** Ends it either way: what is not whole by then is rolled back, and the target as empty as before. */
  readonly end: () => void
}

/** Starts to copy one database into another, which must be empty and stays locked until the end. */
export const startCopy = (from: SqliteDatabase, to: SqliteDatabase): DatabaseCopy => {
  const { sqlite3 } = from
  const { capi } = sqlite3
  const failure = (result: number, what: string): unknown =>
    toStorageError(
      sqlite3,
      Object.assign(new Error(capi.sqlite3_js_rc_str(result)), { resultCode: result }),
      what
    )

  const backup = capi.sqlite3_backup_init(to.handle, 'main', from.handle, 'main')
  if (backup === 0) throw failure(capi.sqlite3_errcode(to.handle), 'the start of a copy')
  let isOver = false
  const isBusy = (result: number): boolean => result === capi.SQLITE_BUSY || result === capi.SQLITE_LOCKED
  return {
    step: (pages) => {
      const result: number = capi.sqlite3_backup_step(backup, pages)
      if (result === capi.SQLITE_DONE) return true
      if (result === capi.SQLITE_OK || isBusy(result)) return false
      throw failure(result, 'a step of a copy')
    },
    progress: () => {
      const total = capi.sqlite3_backup_pagecount(backup)
      return { done: total - capi.sqlite3_backup_remaining(backup), total }
    },
    end: () => {
      if (isOver) return
      isOver = true
      const result: number = capi.sqlite3_backup_finish(backup)
      // That the source was busy at the last step was told by the step.
      if (isBusy(result) || result === capi.SQLITE_OK) return
      throw failure(result, 'the end of a copy')
    }
  }
}

/** Copies a database that nobody writes to, as before a migration; others are heard meanwhile. */
export const copyDatabase = async (from: SqliteDatabase, to: SqliteDatabase): Promise<void> => {
  const copy = startCopy(from, to)
  try {
    for (let done = 0; !copy.step(PAGES_A_TURN); done = copy.progress().done) {
      if (copy.progress().done === done)
        throw new FlowForgeError('INTERNAL', 'The database is busy and could not be copied.')
      // oxlint-disable-next-line no-await-in-loop -- a turn for others between two steps
      await letOthersGo()
    }
  } finally {
    copy.end()
  }
  toPlainFile(to)
}

/** A copy inherits the source's write-ahead mark; without it the file stands alone. */
export const toPlainFile = (database: SqliteDatabase): void => {
  database.allOnce('PRAGMA journal_mode = DELETE')
}
