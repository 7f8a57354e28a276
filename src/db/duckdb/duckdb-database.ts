import type { DuckDBBindings } from '@duckdb/duckdb-wasm/blocking'
import { tableFromIPC } from 'apache-arrow'
import { FlowForgeError, type Row } from '../ports.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'
import { openCatalog, type StartDuckDB } from './duckdb-instance.ts'
import { toDuckDBError } from './duckdb-errors.ts'
import { toLiteral } from './literals.ts'
import { toRows } from './rows.ts'

/**
 * One database in memory, spoken to synchronously. It knows savepoints, which DuckDB does not have, and a statement
 * that fails takes nothing with it but itself, although DuckDB gives up its transaction: what was written before is
 * written again. Its statements are texts without a clock or chance in them, so they do the same each time.
 */
export type DuckDBDatabase = {
  readonly bindings: DuckDBBindings
  /** Reads, or runs one of `CONTROL`'s words. */
  readonly all: (sql: string, params?: readonly Bound[]) => Row[]
  /** Writes; `all` would not be done again after a failure. */
  readonly write: (sql: string, params?: readonly Bound[]) => Row[]
  /** BEGIN, COMMIT, ROLLBACK and the savepoints; anything else is written. */
  readonly run: (sql: string, params?: readonly Bound[]) => void
  /** Runs a query bit by bit until the deadline, in ms of `performance.now()`. */
  readonly poll: (sql: string, params: readonly Bound[], deadline: number) => Row[]
  /** Lets the engine parse and bind one statement, and nothing more. */
  readonly check: (sql: string) => void
  /** Begins and ends a transaction that reads, where none is open. */
  readonly runOutside: (sql: 'BEGIN TRANSACTION READ ONLY' | 'ROLLBACK') => void
  readonly written: Set<string>
  readonly isAutocommit: () => boolean
  /** Asked just before a COMMIT; what it throws is the commit's failure. */
  readonly beforeCommit: { check: () => void }
  readonly close: () => void
}

const KEPT_LIMIT = 200
const CONTROL = /^(BEGIN|COMMIT|ROLLBACK TO|ROLLBACK|SAVEPOINT|RELEASE)\b ?(\w*)/

type Written = { readonly sql: string; readonly params: readonly Bound[] }
type Mark = { readonly name: string; readonly at: number }

export const openDuckDBDatabase = async (start: StartDuckDB): Promise<DuckDBDatabase> => {
  const { bindings, connection, close } = await openCatalog(start)
  const written = new Set<string>()
  const beforeCommit = { check: (): void => undefined }
  const prepared = new Map<string, string>()
  let names = 0
  let isOpen = false
  /** What the open transaction has written, to be written again where DuckDB has given it up. */
  let journal: Written[] = []
  let marks: Mark[] = []

  const execute = (sql: string): Row[] => toRows(connection.query(sql))

  const replay = (): void => {
    isOpen = false
    connection.query('ROLLBACK')
    connection.query('BEGIN TRANSACTION')
    for (const { sql, params } of journal) connection.query(toExecutable(sql, params))
    isOpen = true
  }

  const isGivenUp = (): boolean => {
    try {
      connection.query('SELECT 1')
      return false
    } catch {
      return true
    }
  }

  const attempt = <T>(sql: string, work: () => T): T => {
    try {
      return work()
    } catch (thrown) {
      const error = toDuckDBError(thrown, sql)
      if (isOpen && isGivenUp()) replay()
      throw error
    }
  }

  /** The name of the prepared statement; the one used longest ago goes where there are too many. */
  const prepare = (sql: string): string => {
    const known = prepared.get(sql)
    const name = known ?? `flowforge_${(names += 1)}`
    if (known === undefined) connection.query(`PREPARE ${name} AS ${sql}`)
    prepared.delete(sql)
    prepared.set(sql, name)
    const [oldest] = prepared
    if (prepared.size > KEPT_LIMIT && oldest !== undefined) {
      prepared.delete(oldest[0])
      connection.query(`DEALLOCATE ${oldest[1]}`)
    }
    return name
  }

  const toExecutable = (sql: string, params: readonly Bound[]): string =>
    params.length === 0 ? sql : `EXECUTE ${prepare(sql)}(${params.map(toLiteral).join(', ')})`

  const all = (sql: string, params: readonly Bound[] = []): Row[] =>
    attempt(sql, () => execute(toExecutable(sql, params)))

  const begin = (): void => {
    connection.query('BEGIN TRANSACTION')
    isOpen = true
    journal = []
    marks = []
  }

  const rollBackTo = (name: string): void => {
    const mark = marks.findLast((each) => each.name === name)
    if (mark === undefined) throw new FlowForgeError('INTERNAL', `There is no savepoint "${name}".`)
    marks = marks.slice(0, marks.lastIndexOf(mark) + 1)
    if (journal.length === mark.at) return
    journal = journal.slice(0, mark.at)
    replay()
  }

  const end = (how: 'COMMIT' | 'ROLLBACK'): void => {
    if (how === 'COMMIT') beforeCommit.check()
    isOpen = false
    connection.query(how)
    journal = []
  }

  const control = (word: string, name: string): void => {
    switch (word) {
      case 'BEGIN':
        return begin()
      case 'SAVEPOINT':
        marks.push({ name, at: journal.length })
        return
      case 'RELEASE':
        marks = marks.slice(
          0,
          marks.findLastIndex((each) => each.name === name)
        )
        return
      case 'ROLLBACK TO':
        return rollBackTo(name)
      case 'COMMIT':
      case 'ROLLBACK':
        return end(word)
    }
  }

  const write = (sql: string, params: readonly Bound[] = []): Row[] =>
    attempt(sql, () => {
      const rows = execute(toExecutable(sql, params))
      if (isOpen) journal.push({ sql, params })
      return rows
    })

  const readPolled = (sql: string, deadline: number): Row[] => {
    const connectionId = connection.useUnsafe((_bindings, id) => id)
    const pieces: Uint8Array[] = []
    let header = bindings.startPendingQuery(connectionId, sql, true)
    while (header === null || header === undefined) {
      if (performance.now() > deadline) {
        bindings.cancelPendingQuery(connectionId)
        throw new FlowForgeError('TIMEOUT', 'This query took too long.')
      }
      header = bindings.pollPendingQuery(connectionId)
    }
    pieces.push(header)
    for (;;) {
      if (performance.now() > deadline) {
        bindings.cancelPendingQuery(connectionId)
        throw new FlowForgeError('TIMEOUT', 'This query took too long.')
      }
      const piece = bindings.fetchQueryResults(connectionId)
      if (piece === null || piece.length === 0) break
      pieces.push(piece)
    }
    return toRows(tableFromIPC(pieces))
  }

  return {
    bindings,
    written,
    beforeCommit,
    all,
    write,
    run: (sql, params = []) => {
      const found = CONTROL.exec(sql)
      if (found === null) write(sql, params)
      else attempt(sql, () => control(String(found[1]), String(found[2])))
    },
    poll: (sql, params, deadline) => attempt(sql, () => readPolled(toExecutable(sql, params), deadline)),
    check: (sql) => attempt(sql, () => connection.prepare(sql).close()),
    runOutside: (sql) => {
      attempt(sql, () => connection.query(sql))
    },
    isAutocommit: () => !isOpen,
    close
  }
}
