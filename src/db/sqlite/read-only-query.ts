import type { Database, PreparedStatement, Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { FlowForgeError, isFlowForgeError, type Row } from '../ports.ts'
import { isCopy } from '../table-names.ts'
import type { Bound, SqliteDatabase } from './sqlite-database.ts'
import { toStorageError } from './sqlite-errors.ts'

export const DEFAULT_TIMEOUT_MS = 5_000
/** More rows than this are a mistake, or want paging: they would fill the page's memory. */
export const MAX_ROWS = 2_000_000
/** How many of SQLite's steps pass between two looks at the clock: well under a millisecond. */
const STEPS_A_LOOK = 4_000

/** Functions that reach beyond the query: files, code, settings. None of them is needed to read rows. */
export const FORBIDDEN_FUNCTIONS = new Set([
  'load_extension',
  'readfile',
  'writefile',
  'edit',
  'fts3_tokenizer',
  'eval'
])

/** Tables without a schema that show the database's pages, its statements or their code instead of rows. */
export const FORBIDDEN_TABLES = new Set([
  'sqlite_dbpage',
  'sqlite_dbdata',
  'sqlite_dbptr',
  'sqlite_stmt',
  'bytecode',
  'tables_used',
  'dbstat'
])

/** The most bytes of one value: a function that makes one is a single step, which no deadline can interrupt. */
const MAX_VALUE_BYTES = 64 * 1024 * 1024

/** In the library since 3.51, and not yet in its types. */
type StatementFactory = {
  Stmt: { wrapHandle(database: Database, statement: number, takeOwnership: boolean): PreparedStatement }
}
const statementsOf = (sqlite3: Sqlite3Static): StatementFactory['Stmt'] =>
  (sqlite3.oo1 as unknown as StatementFactory).Stmt

/** A statement that was found to do nothing but read, and the tables that it reads. */
type Reader = { readonly statement: PreparedStatement; readonly tables: Set<string> }
/** How many of them are kept for the next time, and how long a text may be that is: live queries ask the same again and again. */
const KEPT_READERS = 40
const KEPT_LENGTH = 20_000
const readersOf = new WeakMap<SqliteDatabase, Map<string, Reader>>()

/** Those of one database, the one used longest ago first. */
const readersFor = (database: SqliteDatabase): Map<string, Reader> => {
  const known = readersOf.get(database)
  if (known !== undefined) return known
  const readers = new Map<string, Reader>()
  readersOf.set(database, readers)
  database.onClose(() => {
    for (const { statement } of readers.values()) statement.finalize()
    readers.clear()
  })
  return readers
}

const keep = (readers: Map<string, Reader>, sql: string, reader: Reader): void => {
  reader.statement.reset()
  reader.statement.clearBindings()
  readers.set(sql, reader)
  const [oldest] = readers.size > KEPT_READERS ? readers : []
  if (oldest === undefined) return
  readers.delete(oldest[0])
  oldest[1].statement.finalize()
}

const NOT_ALLOWED = 'This query is not allowed here: only one SELECT that reads is.'

/**
 * Runs one statement for somebody who may only read. SQLite itself decides what the statement does: its authorizer is
 * asked about each thing the statement would touch, and `sqlite3_stmt_readonly` has the last word. Nothing is decided
 * by looking at the text. A statement that was let through is kept; when the schema has changed, SQLite prepares it
 * again by itself, and asks again.
 */
export const readOnlyQuery = (
  database: SqliteDatabase,
  args: { sql: string; params: readonly Bound[]; timeoutMs: number }
): { rows: Row[]; tables: string[] } => {
  const { sqlite3, handle } = database
  const { capi, wasm } = sqlite3
  const { sql } = args
  const seen = new Set<string>()
  let refused: string | null = null
  let deadline = 0

  const guard = (action: number, first: string | 0, second: string | 0): number => {
    switch (action) {
      case capi.SQLITE_SELECT:
      case capi.SQLITE_RECURSIVE:
        return capi.SQLITE_OK
      case capi.SQLITE_READ:
        if (first !== 0 && (FORBIDDEN_TABLES.has(first.toLowerCase()) || isCopy(first))) {
          refused = `the table ${first}`
          return capi.SQLITE_DENY
        }
        if (first !== 0) seen.add(first)
        return capi.SQLITE_OK
      case capi.SQLITE_FUNCTION:
        if (second === 0 || !FORBIDDEN_FUNCTIONS.has(second.toLowerCase())) return capi.SQLITE_OK
        refused = `the function ${second}()`
        return capi.SQLITE_DENY
      default:
        refused ??= 'anything but reading'
        return capi.SQLITE_DENY
    }
  }

  const notAllowed = (what: string): FlowForgeError =>
    new FlowForgeError('NOT_ALLOWED', `${NOT_ALLOWED} It asks for ${what}.`, { sql })

  /** Prepares the first statement of a text; answers with it (0 for none) and where the rest begins. */
  const prepareFirst = (pointer: number, length: number): { statement: number; tail: number } => {
    const [outStatement, outTail] = wasm.scopedAllocPtr(2) as [number, number]
    const result = capi.sqlite3_prepare_v3(handle, pointer, length, 0, outStatement, outTail)
    if (result !== 0) sqlite3.oo1.DB.checkRc(handle, result)
    return { statement: Number(wasm.peekPtr(outStatement)), tail: Number(wasm.peekPtr(outTail)) }
  }

  const prepare = (): Reader => {
    // SQLite would end the text there, and what stands behind it would go unseen.
    if (sql.includes('\0'))
      throw new FlowForgeError('INVALID_INPUT', 'This query has a NUL character in it.', { sql })
    const scope = wasm.scopedAllocPush()
    try {
      const [pointer, length] = wasm.scopedAllocCString(sql, true) as [number, number]
      const first = prepareFirst(pointer, length)
      if (first.statement === 0) throw new FlowForgeError('INVALID_INPUT', 'This query is empty.', { sql })
      const statement = statementsOf(sqlite3).wrapHandle(handle, first.statement, true)
      try {
        if (capi.sqlite3_stmt_readonly(first.statement) === 0) throw notAllowed('a write')
        const rest = prepareFirst(first.tail, length - (first.tail - pointer))
        if (rest.statement !== 0) {
          capi.sqlite3_finalize(rest.statement)
          throw notAllowed('a second statement')
        }
        return { statement, tables: seen }
      } catch (thrown) {
        statement.finalize()
        throw thrown
      }
    } finally {
      wasm.scopedAllocPop(scope)
    }
  }

  const rowsOf = (statement: PreparedStatement): Row[] => {
    if (args.params.length > 0) statement.bind([...args.params])
    deadline = performance.now() + args.timeoutMs
    capi.sqlite3_progress_handler(handle, STEPS_A_LOOK, () => (performance.now() > deadline ? 1 : 0), 0)
    const rows: Row[] = []
    while (statement.step()) {
      if (rows.length >= MAX_ROWS) {
        const message = `This query gives more than ${MAX_ROWS} rows. Add a LIMIT.`
        throw new FlowForgeError('INVALID_INPUT', message, { limit: MAX_ROWS })
      }
      rows.push(statement.get({}) as Row)
    }
    return rows
  }

  const readers = readersFor(database)
  const known = readers.get(sql)
  // While it is in use it is nobody else's; what fails is not kept.
  readers.delete(sql)
  let reader = known
  let isWell = false
  const lengthBefore = capi.sqlite3_limit(handle, capi.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
  database.guard.current = guard
  try {
    reader ??= prepare()
    const rows = rowsOf(reader.statement)
    for (const table of seen) reader.tables.add(table)
    isWell = true
    return { rows, tables: [...reader.tables] }
  } catch (thrown) {
    if (isFlowForgeError(thrown)) throw thrown
    if (refused !== null) throw notAllowed(refused)
    const error = toStorageError(sqlite3, thrown, sql)
    if (error.code !== 'TIMEOUT') throw error
    const message = `This query was ended after ${args.timeoutMs} ms. Make it narrower, or add a LIMIT.`
    throw new FlowForgeError('TIMEOUT', message, { timeoutMs: args.timeoutMs }, thrown)
  } finally {
    capi.sqlite3_progress_handler(handle, 0, 0, 0)
    database.guard.current = null
    capi.sqlite3_limit(handle, capi.SQLITE_LIMIT_LENGTH, lengthBefore)
    if (reader !== undefined) {
      if (isWell && sql.length <= KEPT_LENGTH) keep(readers, sql, reader)
      else reader.statement.finalize()
    }
  }
}
