import type { Row } from '../ports.ts'
import type { Bound, SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { InTurn } from './check-table.ts'

/** The most entries that are counted in one turn: some milliseconds. */
const ENTRIES = 20_000

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * The columns that an index is ordered by before its rowids; null where they may be NULL or are no plain columns, so that
 * no place in it can be named by them.
 */
const orderOf = (database: SqliteDatabase, table: string, index: string): string[] | null => {
  const columns = new Map(
    database
      .allOnce(`PRAGMA table_info(${quoted(table)})`)
      .map((column): [string, Row] => [String(column['name']), column])
  )
  const isRowId = (name: string): boolean => {
    const column = columns.get(name)
    return Number(column?.['pk']) === 1 && String(column?.['type']).toUpperCase() === 'INTEGER'
  }
  const isPlain = ({ cid, desc, coll, name }: Row): boolean =>
    Number(cid) >= 0 &&
    Number(desc) === 0 &&
    coll === 'BINARY' &&
    (Number(columns.get(String(name))?.['notnull']) === 1 || isRowId(String(name)))
  const ordered = database
    .allOnce(`PRAGMA index_xinfo(${quoted(index)})`)
    .filter((column) => Number(column['key']) === 1)
  if (!ordered.every(isPlain)) return null
  const names = ordered.map(({ name }) => String(name))
  const last = names.findIndex(isRowId)
  // Nothing comes after the rowid that could change the order.
  return last === -1 ? names : names.slice(0, last)
}

/**
 * Reads an index through and counts its entries, a piece a turn; one that has no order to go by at one go.
 * @param most more than there can be: a broken index may lead in circles
 * @throws Error for one that has more
 */
export const countEntries = async (
  database: SqliteDatabase,
  inTurn: InTurn,
  { table, index, most }: { readonly table: string; readonly index: string; readonly most: number },
  entries = ENTRIES
): Promise<number> => {
  const from = `${quoted(table)} INDEXED BY ${quoted(index)}`
  const columns = await inTurn(() => orderOf(database, table, index))
  if (columns === null || columns.length === 0) {
    // `count(*)` would be asked of whichever index is the smallest.
    return inTurn(() => Number(database.allOnce(`SELECT total(1) AS count FROM ${from}`)[0]?.['count']))
  }
  const names = columns.map(quoted)
  const order = [...names, 'rowid'].join(', ')
  const keys = [...names, 'rowid'].map((name, at) => `${name} AS k${at}`).join(', ')
  const marks = names.map(() => '?').join(', ')
  const all = { where: 'TRUE', takes: 0 }
  const sameKey = {
    where: `${names.map((name) => `${name} = ?`).join(' AND ')} AND rowid > ?`,
    takes: names.length + 1
  }
  const beyond = { where: `(${names.join(', ')}) > (${marks})`, takes: names.length }

  let place: Bound[] = []
  let count = 0
  /** Counts a piece of what stands there; answers whether there may be more of it. */
  const piece = ({ where, takes }: typeof all): Promise<boolean> =>
    inTurn(() => {
      const params = place.slice(0, takes)
      const end = `SELECT ${keys} FROM ${from} WHERE ${where} ORDER BY ${order} LIMIT 1 OFFSET ${entries - 1}`
      const [last] = database.all(end, params)
      if (last !== undefined) {
        place = Object.values(last) as Bound[]
        count += entries
        return true
      }
      const rest = `SELECT total(1) AS count FROM (SELECT 1 FROM ${from} WHERE ${where} LIMIT ${entries})`
      count += Number(database.all(rest, params)[0]?.['count'])
      return false
    })

  // oxlint-disable no-await-in-loop -- a piece a turn is the point
  for (let hasMore = await piece(all); hasMore;) {
    if (count > most) throw new Error(`The index ${index} has more entries than there are rows.`)
    hasMore = (await piece(sameKey)) || (await piece(beyond))
  }
  // oxlint-enable no-await-in-loop
  return count
}
