import type { Database, PreparedStatement, Sqlite3Static, SqlValue as OoValue } from '@sqlite.org/sqlite-wasm'
import type { Row } from '../ports.ts'
import { toStorageError } from './sqlite-errors.ts'

export type Bound = string | number | bigint | null | Uint8Array

/** Tables that statements wrote since it was last emptied; the keeper of transactions tells them after the commit. */
export type WrittenTables = Set<string>

/**
 * One open database, spoken to synchronously: prepared statements are kept by their text, every failure becomes a
 * `FlowForgeError`, and each statement's written tables are known from SQLite's authorizer.
 */
export type SqliteDatabase = {
  readonly sqlite3: Sqlite3Static
  readonly handle: Database
  /** Runs a statement that is kept for the next time, until others crowd it out. */
  readonly all: (sql: string, params?: readonly Bound[]) => Row[]
  readonly run: (sql: string, params?: readonly Bound[]) => void
  /** The same for a text that may never come again: prepared, run and let go. */
  readonly allOnce: (sql: string, params?: readonly Bound[]) => Row[]
  /** Runs every statement of a script. */
  readonly script: (sql: string) => void
  readonly written: WrittenTables
  /** While set, statements are prepared for somebody who may only read; see `read-only-query.ts`. */
  readonly guard: { current: Guard | null }
  readonly close: () => void
}

/** Answers an authorizer's question with one of SQLite's result codes. */
export type Guard = (action: number, first: string | 0, second: string | 0) => number

/** How many statements are kept: more than the adapter has of its own, and an end to those that callers give. */
const KEPT_LIMIT = 200

type Kept = { readonly statement: PreparedStatement; readonly tables: readonly string[] }

const rowsOf = (statement: PreparedStatement): Row[] => {
  const rows: Row[] = []
  while (statement.step()) rows.push(statement.get({}) as Row)
  return rows
}

export const openSqliteDatabase = (sqlite3: Sqlite3Static, handle: Database): SqliteDatabase => {
  const { capi } = sqlite3
  const written: WrittenTables = new Set()
  const guard: { current: Guard | null } = { current: null }
  const kept = new Map<string, Kept>()
  let preparing: Set<string> = new Set()

  const writes = new Set<number>([capi.SQLITE_INSERT, capi.SQLITE_UPDATE, capi.SQLITE_DELETE])
  capi.sqlite3_set_authorizer(
    handle,
    (_argument, action, first, second) => {
      if (guard.current !== null) return guard.current(action, first, second)
      if (writes.has(action) && first !== 0 && !first.startsWith('sqlite_')) preparing.add(first)
      return capi.SQLITE_OK
    },
    0
  )

  const attempt = <T>(sql: string, work: () => T): T => {
    try {
      return work()
    } catch (thrown) {
      throw toStorageError(sqlite3, thrown, sql)
    }
  }

  const prepare = (sql: string): Kept => {
    preparing = new Set()
    const statement = handle.prepare(sql)
    return { statement, tables: [...preparing] }
  }

  /** The statement used longest ago goes first: a Map keeps the order of insertion. */
  const keep = (sql: string, found: Kept): void => {
    kept.delete(sql)
    kept.set(sql, found)
    if (kept.size <= KEPT_LIMIT) return
    const [oldest] = kept
    if (oldest === undefined) return
    kept.delete(oldest[0])
    oldest[1].statement.finalize()
  }

  const use = <T>(sql: string, params: readonly Bound[], work: (statement: PreparedStatement) => T): T =>
    attempt(sql, () => {
      const found = kept.get(sql) ?? prepare(sql)
      keep(sql, found)
      const { statement, tables } = found
      for (const table of tables) written.add(table)
      try {
        if (params.length > 0) statement.bind(params as OoValue[])
        return work(statement)
      } finally {
        statement.reset()
        statement.clearBindings()
      }
    })

  return {
    sqlite3,
    handle,
    written,
    guard,
    all: (sql, params = []) => use(sql, params, rowsOf),
    run: (sql, params = []) => {
      use(sql, params, (statement) => statement.step())
    },
    allOnce: (sql, params = []) =>
      attempt(sql, () => {
        const { statement, tables } = prepare(sql)
        for (const table of tables) written.add(table)
        try {
          if (params.length > 0) statement.bind(params as OoValue[])
          return statement.columnCount > 0 ? rowsOf(statement) : (statement.step(), [])
        } finally {
          statement.finalize()
        }
      }),
    script: (sql) => {
      attempt(sql, () => handle.exec(sql))
    },
    close: () => {
      for (const { statement } of kept.values()) statement.finalize()
      kept.clear()
      handle.close()
    }
  }
}
