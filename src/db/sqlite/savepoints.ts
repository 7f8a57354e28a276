import type { SqliteDatabase } from './sqlite-database.ts'

export type Outcome<T = unknown> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }

export const attempt = <T>(work: () => T): Outcome<T> => {
  try {
    return { ok: true, value: work() }
  } catch (error) {
    return { ok: false, error }
  }
}

/** All that transactions ask of a connection: it need not be SQLite's. */
export type TransactionalDatabase = Pick<SqliteDatabase, 'run' | 'written' | 'isAutocommit'>

/** What was thrown away with a transaction that SQLite rolled back by itself (full, I/O, memory), and why. */
export type Loss = { readonly cause: unknown }

/** The open transaction of one connection: its savepoints, and whether it still stands. */
export type Savepoints = {
  begin(): void
  commit(): void
  rollBack(): void
  /** Whether no transaction is open. */
  isAutocommit(): boolean
  /** Why the whole transaction is gone although nobody rolled it back; nothing may go on in it then. */
  loss(): Loss | null
  /** Does `work` in a savepoint of its own: where it throws, nothing of it is left, nor of the tables that it wrote. */
  within<T>(work: () => T): Outcome<T>
  /** Does work in one go without a savepoint; where it throws, it is noted whether the transaction went with it. */
  bare<T>(work: () => T): Outcome<T>
  /** Opens a savepoint that is ended later; `undo` is told why. */
  open(name: string): { release(): void; undo(cause: unknown): void }
}

export const createSavepoints = (
  database: TransactionalDatabase,
  /** Told before a transaction begins that may write. */
  onBegin: () => void = () => undefined
): Savepoints => {
  let lost: Loss | null = null

  const { isAutocommit } = database

  const noteIfLost = (cause: unknown): void => {
    if (isAutocommit()) lost ??= { cause }
  }

  const open: Savepoints['open'] = (name) => {
    const before = new Set(database.written)
    database.run(`SAVEPOINT ${name}`)
    return {
      release: () => database.run(`RELEASE ${name}`),
      undo: (cause) => {
        noteIfLost(cause)
        if (lost === null) {
          database.run(`ROLLBACK TO ${name}`)
          database.run(`RELEASE ${name}`)
        }
        database.written.clear()
        for (const table of before) database.written.add(table)
      }
    }
  }

  return {
    isAutocommit,
    open,
    loss: () => lost,
    begin: () => {
      lost = null
      onBegin()
      database.run('BEGIN IMMEDIATE')
    },
    commit: () => database.run('COMMIT'),
    rollBack: () => {
      database.written.clear()
      // A failed COMMIT may have rolled back by itself; then there is nothing to roll back.
      if (!isAutocommit()) database.run('ROLLBACK')
    },
    within: (work) => {
      const savepoint = open('unit')
      const outcome = attempt(() => {
        const value = work()
        savepoint.release()
        return value
      })
      if (!outcome.ok) savepoint.undo(outcome.error)
      return outcome
    },
    bare: (work) => {
      const outcome = attempt(work)
      if (!outcome.ok) noteIfLost(outcome.error)
      return outcome
    }
  }
}
