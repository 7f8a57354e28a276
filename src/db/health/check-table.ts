import type { Row } from '../ports.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { countEntries } from './index-entries.ts'
import { FIRST_PIECE, nextPiece } from './piece-size.ts'

/** How long one step may keep others waiting, in ms. A table that takes longer is walked in pieces. */
export const STEP_MS = 100
const STEPS_A_LOOK = 1_000
/** An index with so many entries more than twice the rows leads in circles. */
const SURPLUS = 2_000

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Does a piece of work while nobody else uses the database. */
export type InTurn = <T>(work: () => T) => Promise<T>

/** SQLite's checks of one table: `integrity_check` compares its indexes with its rows as well. */
export type OwnCheck = 'quick_check' | 'integrity_check'

/** What SQLite's own check of a table and its indexes finds; null where it takes longer than a step. */
export const ownCheck = (
  database: SqliteDatabase,
  check: OwnCheck,
  table: string,
  stepMs: number
): string[] | null => {
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
      .allOnce(`PRAGMA ${check}(${quoted(table)})`)
      .map((row) => String(row[check]))
      .filter((message) => message !== 'ok')
  } catch (thrown) {
    if (isLate) return null
    throw thrown
  } finally {
    capi.sqlite3_progress_handler(database.handle, 0, 0, 0)
  }
}

/** An index of all rows, by columns alone. */
type Index = { readonly name: string; readonly columns: readonly string[] }

const indexesOf = (database: SqliteDatabase, table: string): Index[] =>
  database
    .allOnce('SELECT name FROM pragma_index_list(?) WHERE partial = 0', [table])
    .map(({ name }) => ({
      name: String(name),
      columns: database
        .allOnce('SELECT name FROM pragma_index_xinfo(?) WHERE "key" = 1 ORDER BY seqno', [String(name)])
        .map((column) => String(column['name'] ?? ''))
    }))
    .filter(({ columns }) => columns.every((column) => column !== ''))

/** How many rows of a piece an index does not lead to. */
const missingSql = (table: string, { name, columns }: Index): string => {
  const list = columns.map(quoted).join(', ')
  const same = columns.map((column) => `i.${quoted(column)} IS r.${quoted(column)}`).join(' AND ')
  return `SELECT count(*) AS count
    FROM (SELECT rowid AS place, ${list} FROM ${quoted(table)} NOT INDEXED WHERE rowid > ?1 AND rowid <= ?2) AS r
    WHERE NOT EXISTS (SELECT 1 FROM ${quoted(table)} AS i INDEXED BY ${quoted(name)}
                      WHERE ${same} AND i.rowid = r.place)`
}

/**
 * Reads a table through, rows with their overflow pages, and looks each of them up in each index: a piece a turn, however
 * large it is.
 *
 * @param isStill nobody writes meanwhile: the indexes' entries are counted, too
 */
export const walkTable = async (
  database: SqliteDatabase,
  inTurn: InTurn,
  table: string,
  isStill = false
): Promise<string[]> => {
  const columns = await inTurn(() => database.allOnce(`PRAGMA table_info(${quoted(table)})`))
  // Hashing nothing but lengths would leave overflow pages unread.
  const touched = columns.map((column) => `total(length(CAST(${quoted(String(column['name']))} AS BLOB)))`)
  const sql = `SELECT max(place) AS last, count(*) AS count, ${touched.join(' + ')} AS bytes FROM (
    SELECT rowid AS place, * FROM ${quoted(table)} WHERE rowid > ? ORDER BY rowid LIMIT ?)`
  const indexes = await inTurn(() => indexesOf(database, table))
  const missing = new Map<string, number>()
  let rows = 0
  let after = Number.MIN_SAFE_INTEGER
  let limit = FIRST_PIECE
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a piece a turn is the point
    const piece: Row | undefined = await inTurn(() => database.all(sql, [after, limit])[0])
    if (piece?.['last'] == null) break
    const last = Number(piece['last'])
    if (last <= after) return [`The rows behind ${after} are out of their order.`]
    for (const index of indexes) {
      const look = (): Row | undefined => database.all(missingSql(table, index), [after, last])[0]
      // oxlint-disable-next-line no-await-in-loop -- the same
      const count = Number((await inTurn(look))?.['count'])
      if (count > 0) missing.set(index.name, (missing.get(index.name) ?? 0) + count)
    }
    after = last
    rows += Number(piece['count'])
    limit = nextPiece(limit, Number(piece['bytes']))
  }
  const problems = [...missing].map(([name, count]) => `The index ${name} does not lead to ${count} rows.`)
  // Between two turns rows come and go.
  if (!isStill) return problems
  for (const { name } of indexes) {
    // oxlint-disable-next-line no-await-in-loop -- one index after the other
    const entries = await countEntries(database, inTurn, { table, index: name, most: 2 * rows + SURPLUS })
    if (entries !== rows) problems.push(`The index ${name} has ${entries} entries for ${rows} rows.`)
  }
  return problems
}
