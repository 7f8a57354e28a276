import { FlowForgeError, type Row } from '../ports.ts'
import { MAX_ROWS } from '../sqlite/read-only-query.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'
import { copyOf } from '../table-names.ts'
import type { DuckDBDatabase } from './duckdb-database.ts'
import { toDuckDBError } from './duckdb-errors.ts'
import type { View } from './schema.ts'
import { namesIn } from './statement-names.ts'

/** Functions that change the engine itself, or show more than rows. None of them is needed to read rows. */
const FORBIDDEN = [
  'enable_logging',
  'disable_logging',
  'truncate_duckdb_logs',
  'checkpoint',
  'force_checkpoint',
  'pragma_user_agent',
  'pragma_storage_info',
  'duckdb_logs',
  'duckdb_prepared_statements',
  'duckdb_temporary_files',
  'duckdb_secrets'
] as const

/** Functions that take the names of tables as text. */
const NAMING = ['query', 'query_table'] as const

const notAllowed = (what: string, sql: string): FlowForgeError =>
  new FlowForgeError(
    'NOT_ALLOWED',
    `This query is not allowed here: only one SELECT that reads is. ${what}`,
    { sql }
  )

/** The statement without a semicolon and comments behind it, by DuckDB's own tokens. */
const withoutEnd = ({ bindings }: DuckDBDatabase, sql: string): string => {
  const bytes = new TextEncoder().encode(sql)
  const { offsets } = bindings.tokenize(sql)
  let end = offsets.length
  const startsWithSemicolon = (at: number): boolean => bytes[offsets[at] ?? 0] === 0x3b
  while (end > 0 && startsWithSemicolon(end - 1)) end -= 1
  const cut = end === offsets.length ? bytes.length : offsets[end]
  return new TextDecoder().decode(bytes.subarray(0, cut))
}

/** What a statement mentions, and what stands in the views that it mentions: a view is followed by its tables. */
const wordsBehind = (
  { bindings }: DuckDBDatabase,
  views: readonly View[],
  words: ReadonlySet<string>
): ReadonlySet<string> => {
  const named = views.filter(({ name }) => words.has(name.toLowerCase()))
  return new Set([...words, ...named.flatMap(({ sql }) => [...namesIn(bindings, sql).words])])
}

/**
 * Runs one statement for somebody who may only read. DuckDB decides: its parser takes the statement as a subquery,
 * which a SELECT alone can be, and outside of a transaction it is run in one that is read-only. `tables` are all that
 * the text mentions, which may be more than it reads, and never less.
 * @throws FlowForgeError `NOT_ALLOWED`, `INVALID_INPUT`, `TIMEOUT`; a join of everything with everything may pass its limit
 */
export const readOnlyQuery = (
  database: DuckDBDatabase,
  schema: { tables: readonly string[]; views: readonly View[] },
  args: { sql: string; params: readonly Bound[]; timeoutMs: number }
): { rows: Row[]; tables: string[] } => {
  const { sql, params, timeoutMs } = args
  // DuckDB would end the text there, and what stands behind it would go unseen.
  if (sql.includes('\0'))
    throw new FlowForgeError('INVALID_INPUT', 'This query has a NUL character in it.', { sql })
  const { words } = namesIn(database.bindings, sql)
  const forbidden = FORBIDDEN.find((name) => words.has(name))
  if (forbidden !== undefined) throw notAllowed(`It asks for ${forbidden}().`, sql)
  const copy = schema.tables.map(copyOf).find((name) => words.has(name.toLowerCase()))
  if (copy !== undefined) throw notAllowed(`It asks for the table ${copy}.`, sql)
  const statement = withoutEnd(database, sql)
  if (statement.trim() === '') throw new FlowForgeError('INVALID_INPUT', 'This query is empty.', { sql })
  database.check(`SELECT * FROM (\n${statement}\n) AS "_asked"`)

  const isAlone = database.isAutocommit()
  try {
    if (isAlone) database.runOutside('BEGIN TRANSACTION READ ONLY')
    const rows = database.poll(statement, params, performance.now() + timeoutMs)
    if (rows.length > MAX_ROWS) {
      const message = `This query gives more than ${MAX_ROWS} rows. Add a LIMIT.`
      throw new FlowForgeError('INVALID_INPUT', message, { limit: MAX_ROWS })
    }
    const readsAny = NAMING.some((name) => words.has(name))
    const mentioned = wordsBehind(database, schema.views, words)
    return { rows, tables: schema.tables.filter((table) => readsAny || mentioned.has(table.toLowerCase())) }
  } catch (thrown) {
    const error = toDuckDBError(thrown, sql)
    if (error.code !== 'TIMEOUT') throw error
    const message = `This query was ended after ${timeoutMs} ms. Make it narrower, or add a LIMIT.`
    throw new FlowForgeError('TIMEOUT', message, { timeoutMs }, thrown)
  } finally {
    if (isAlone) database.runOutside('ROLLBACK')
  }
}
