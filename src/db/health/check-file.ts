import type { CheckFinding } from '../health-port.ts'
import type { Row } from '../ports.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { countEntries } from './index-entries.ts'

/** How long one step may keep others waiting, in ms. A table that takes longer is walked in pieces. */
const STEP_MS = 100
const STEPS_A_LOOK = 1_000
const PIECE = 2_000

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

/** Does a piece of work while nobody else uses the database. */
export type InTurn = <T>(work: () => T) => Promise<T>

const TABLES = `SELECT name, sql LIKE '%WITHOUT ROWID%' AS is_plain FROM sqlite_schema
  WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND rootpage > 0 ORDER BY name`

const EXISTS = `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`

/** SQLite's own quick check of a table and its indexes; null where it takes longer than a step. */
const quickCheck = (database: SqliteDatabase, table: string, stepMs: number): string[] | null => {
  const { capi } = database.sqlite3
  const deadline = performance.now() + stepMs
  let isLate = false
  capi.sqlite3_progress_handler(
    database.handle,
    STEPS_A_LOOK,
    () => {
      isLate = performance.now() > deadline
      return isLate ? 1 : 0
    },
    0
  )
  try {
    return database
      .allOnce(`PRAGMA quick_check(${quoted(table)})`)
      .map((row) => String(row['quick_check']))
      .filter((message) => message !== 'ok')
  } catch (thrown) {
    if (isLate) return null
    throw thrown
  } finally {
    capi.sqlite3_progress_handler(database.handle, 0, 0, 0)
  }
}

/** Reads a large table through, rows with their overflow pages and then each index, a piece a turn. */
const walk = async (database: SqliteDatabase, inTurn: InTurn, table: string): Promise<string[]> => {
  const columns = await inTurn(() => database.allOnce(`PRAGMA table_info(${quoted(table)})`))
  // Hashing nothing but lengths would leave overflow pages unread.
  const touched = columns.map((column) => `total(length(CAST(${quoted(String(column['name']))} AS BLOB)))`)
  const sql = `SELECT max(place) AS last, count(*) AS count, ${touched.join(', ')} FROM (
    SELECT rowid AS place, * FROM ${quoted(table)} WHERE rowid > ? ORDER BY rowid LIMIT ${PIECE})`
  let rows = 0
  let after = Number.MIN_SAFE_INTEGER
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a piece a turn is the point
    const piece: Row | undefined = await inTurn(() => database.all(sql, [after])[0])
    if (piece?.['last'] == null) break
    after = Number(piece['last'])
    rows += Number(piece['count'])
  }
  const indexes = await inTurn(() => database.allOnce(`PRAGMA index_list(${quoted(table)})`))
  const problems: string[] = []
  for (const index of indexes.filter((each) => Number(each['partial']) === 0)) {
    const name = String(index['name'])
    // Rows may have come meanwhile, but not as many as there were.
    const asked = { table, index: name, most: 2 * rows + PIECE }
    // oxlint-disable-next-line no-await-in-loop -- one index after the other
    const entries = await countEntries(database, inTurn, asked)
    if (entries < rows) problems.push(`The index ${name} has ${entries} entries for ${rows} rows or more.`)
  }
  return problems
}

/** Checks every table of a database's file; others use it in between. */
export const checkFile = async (
  database: SqliteDatabase,
  inTurn: InTurn,
  onTable: (table: string) => void = () => undefined,
  stepMs = STEP_MS
): Promise<{ tables: number; findings: CheckFinding[] }> => {
  const tables = await inTurn(() => database.allOnce(TABLES))
  const findings: CheckFinding[] = []
  for (const { name, is_plain: isPlain } of tables) {
    const table = String(name)
    onTable(table)
    try {
      // oxlint-disable no-await-in-loop -- a table a turn
      const quick = await inTurn(() => quickCheck(database, table, stepMs))
      const messages =
        quick ??
        (Number(isPlain) === 1
          ? await inTurn(() => quickCheck(database, table, Number.POSITIVE_INFINITY))
          : await walk(database, inTurn, table)) ??
        []
      // oxlint-enable no-await-in-loop
      findings.push(...messages.map((message) => ({ table, message })))
    } catch (thrown) {
      // A rebuild has put its copies in their place meanwhile.
      // oxlint-disable-next-line no-await-in-loop -- a table a turn
      if (await inTurn(() => database.all(EXISTS, [table]).length === 0)) continue
      findings.push({ table, message: messageOf(thrown) })
    }
  }
  return { tables: tables.length, findings }
}
