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
  /** Whether a text is one statement that gives rows and writes nothing; it is kept as the others. False for a broken one. */
  readonly isReading: (sql: string) => boolean
  /** The same for a text that may never come again: prepared, run and let go. */
  readonly allOnce: (sql: string, params?: readonly Bound[]) => Row[]
  /** Runs every statement of a script. */
  readonly script: (sql: string) => void
  readonly written: WrittenTables
  /** Whether no transaction is open. */
  readonly isAutocommit: () => boolean
  /** While set, statements are prepared for somebody who may only read; see `read-only-query.ts`. */
  readonly guard: { current: Guard | null }
  /** Told when a statement fails because the storage is full, before the failure is thrown. */
  readonly full: { current: (() => void) | null }
  /** Called before it closes. */
  readonly onClose: (listener: () => void) => void
  readonly close: () => void
}

/** Answers an authorizer's question with one of SQLite's result codes. */
export type Guard = (action: number, first: string | 0, second: string | 0) => number

/** How many statements are kept: more than the adapter has of its own, and an end to those that callers give. */
const KEPT_LIMIT = 200

type Kept = {
  readonly statement: PreparedStatement
  readonly tables: readonly string[]
  readonly isReading: boolean
}

const rowsOf = (statement: PreparedStatement): Row[] => {
  const rows: Row[] = []
  while (statement.step()) rows.push(statement.get({}) as Row)
  return rows
}

export const openSqliteDatabase = (sqlite3: Sqlite3Static, handle: Database): SqliteDatabase => {
  const { capi } = sqlite3
  const written: WrittenTables = new Set()
  const guard: { current: Guard | null } = { current: null }
  const full: SqliteDatabase['full'] = { current: null }
  const kept = new Map<string, Kept>()
  const closing: (() => void)[] = []
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

  // A kept statement stays as it was prepared; otherwise each new value is taken for a reason to prepare it again.
  capi.sqlite3_db_config(handle, capi.SQLITE_DBCONFIG_ENABLE_QPSG, 1, 0)

  const attempt = <T>(sql: string, work: () => T): T => {
    try {
      return work()
    } catch (thrown) {
      const error = toStorageError(sqlite3, thrown, sql)
      if (error.code === 'STORAGE_FULL') full.current?.()
      throw error
    }
  }

  const prepare = (sql: string): Kept => {
    preparing = new Set()
    const statement = handle.prepare(sql)
    // Statements that begin and end transactions count as reading, too.
    const isReading = statement.columnCount > 0 && capi.sqlite3_stmt_readonly(statement) !== 0
    return { statement, tables: [...preparing], isReading }
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

  const find = (sql: string): Kept => {
    const found = kept.get(sql) ?? prepare(sql)
    keep(sql, found)
    return found
  }

  const use = <T>(sql: string, params: readonly Bound[], work: (statement: PreparedStatement) => T): T =>
    attempt(sql, () => {
      const { statement, tables } = find(sql)
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
    isAutocommit: () => capi.sqlite3_get_autocommit(handle) !== 0,
    guard,
    full,
    isReading: (sql) => {
      try {
        return find(sql).isReading
      } catch {
        // Whoever carries it out is told why.
        return false
      }
    },
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
    onClose: (listener) => void closing.push(listener),
    close: () => {
      for (const listener of closing) listener()
      for (const { statement } of kept.values()) statement.finalize()
      kept.clear()
      handle.close()
    }
  }
}
