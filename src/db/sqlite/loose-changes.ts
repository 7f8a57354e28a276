import type { Row } from '../ports.ts'
import type { RowChange } from '../rebuild-port.ts'
import { quotedName } from '../table-names.ts'
import { columnsOf, onConflict, toBound, writeChange, type Table } from './row-writing.ts'
import type { Bound, SqliteDatabase } from './sqlite-database.ts'

type BoundRow = Readonly<Record<string, Bound>>

/** What is to become of one row, known by its key: of several changes, what they come to. */
type Pending = { readonly op: 'upsert' | 'update'; readonly row: BoundRow } | { readonly op: 'remove' }

/**
 * Half of a surrogate pair, which JSON carries into SQLite in another shape than a bound value. The pattern may also find
 * text that merely speaks of one; it is then bound value by value, to the same end.
 */
const HALF_A_PAIR = /\\ud[89a-f]/

const isPlain = (value: Bound): boolean =>
  value === null ||
  typeof value === 'string' ||
  (typeof value === 'number' &&
    Number.isFinite(value) &&
    (!Number.isInteger(value) || Number.isSafeInteger(value)))

type Group = { readonly names: readonly string[]; readonly rows: BoundRow[] }

/** Rows by the columns that they have, so that one statement does for all of a group. */
const groupsOf = (rows: readonly BoundRow[]): Group[] => {
  const groups = new Map<string, Group>()
  for (const row of rows) {
    const names = Object.keys(row)
    const signature = names.join()
    const group = groups.get(signature)
    if (group === undefined) groups.set(signature, { names, rows: [row] })
    else group.rows.push(row)
  }
  return [...groups.values()]
}

/** One bind for all rows, each an array of its values; undefined where JSON would not carry them as they are. */
const toJson = ({ names, rows }: Group): string | undefined => {
  const values: Bound[][] = []
  for (const row of rows) {
    const line = names.map((name) => row[name] ?? null)
    if (!line.every(isPlain)) return undefined
    values.push(line)
  }
  const json = JSON.stringify(values)
  return HALF_A_PAIR.test(json) ? undefined : json
}

/**
 * Applies changes to tables that refuse no row: without foreign keys, unique columns or triggers, rows of different
 * keys do not touch each other. So the changes of each row are put together first, and rows of the same columns are
 * written by one statement: the rows are those that the changes would leave one by one.
 */
export const applyLoosely = (
  database: SqliteDatabase,
  changes: readonly RowChange[],
  tableOf: (name: string) => Table
): void => {
  const queues = new Map<string, ReturnType<typeof createQueue>>()
  for (const change of changes) {
    let queue = queues.get(change.table)
    if (queue === undefined) {
      queue = createQueue(database, tableOf(change.table))
      queues.set(change.table, queue)
    }
    queue.add(change)
  }
  for (const queue of queues.values()) queue.flush()
}

const createQueue = (database: SqliteDatabase, table: Table) => {
  const [key] = table.primaryKey
  const target = quotedName(table.target)
  const pending = new Map<string, Pending>()

  const updateFrom = (names: readonly string[], json: string): void => {
    const set = names.flatMap((name, index) =>
      name === key ? [] : [`${quotedName(name)} = value ->> ${index}`]
    )
    if (set.length === 0) return
    const sql = `UPDATE ${target} SET ${set.join(', ')} FROM json_each(?)
      WHERE ${target}.${quotedName(String(key))} = value ->> ${names.indexOf(String(key))}`
    database.run(sql, [json])
  }

  const insert = (group: Group): void => {
    const json = toJson(group)
    if (json === undefined) {
      writeChange(database, table, { op: 'upsert', table: table.name, rows: group.rows })
      return
    }
    const { names } = group
    const columns = names.map(quotedName).join(', ')
    const values = names.map((_, index) => `value ->> ${index}`).join(', ')
    const all = `INSERT INTO ${target} (${columns}) SELECT ${values} FROM json_each(?)`
    if (names.length === table.columns.size) {
      database.run(`${all} WHERE true ORDER BY key ${onConflict(table, names)}`, [json])
      return
    }
    // SQLite checks NOT NULL before it sees the conflict, so rows of few columns meet the stored ones by an UPDATE.
    updateFrom(names, json)
    const stored = `SELECT 1 FROM ${target} t WHERE t.${quotedName(String(key))} = value ->> ${names.indexOf(String(key))}`
    database.run(`${all} WHERE NOT EXISTS (${stored}) ORDER BY key`, [json])
  }

  const update = (group: Group): void => {
    const { names } = group
    const json = toJson(group)
    if (json === undefined) {
      for (const row of group.rows) {
        const set = Object.fromEntries(Object.entries(row).filter(([name]) => name !== key))
        const where = { [String(key)]: row[String(key)] }
        writeChange(database, table, { op: 'update', table: table.name, where, set })
      }
      return
    }
    updateFrom(names, json)
  }

  const remove = (ids: readonly string[]): void => {
    const json = JSON.stringify(ids)
    if (!HALF_A_PAIR.test(json)) {
      database.run(
        `DELETE FROM ${target} WHERE ${quotedName(String(key))} IN (SELECT value FROM json_each(?))`,
        [json]
      )
      return
    }
    for (const id of ids) {
      writeChange(database, table, { op: 'remove', table: table.name, where: { [String(key)]: id } })
    }
  }

  const flush = (): void => {
    const upserts: BoundRow[] = []
    const updates: BoundRow[] = []
    const removed: string[] = []
    for (const [id, each] of pending) {
      if (each.op === 'remove') removed.push(id)
      else (each.op === 'upsert' ? upserts : updates).push(each.row)
    }
    pending.clear()
    for (const group of groupsOf(upserts)) insert(group)
    for (const group of groupsOf(updates)) update(group)
    if (removed.length > 0) remove(removed)
  }

  /** The key of the one row that a change is about, where it is about one: a text, as keys of read models are. */
  const keyOf = (row: Row): string | undefined => {
    if (key === undefined || table.primaryKey.length > 1) return undefined
    const value = row[key]
    return typeof value === 'string' ? value : undefined
  }

  const bound = (row: Row): BoundRow => {
    const values: Record<string, Bound> = {}
    for (const name of columnsOf(table, row)) values[name] = toBound(row[name], `${table.name}.${name}`)
    return values
  }

  /** Does it stand for itself, behind all that came before it? */
  const alone = (change: RowChange): void => {
    flush()
    writeChange(database, table, change)
  }

  const merge = (id: string, op: 'upsert' | 'update', row: Row): void => {
    const before = pending.get(id)
    if (before?.op === 'remove' && op === 'update') return
    // A row that may not be there must first be looked for.
    if (before?.op === 'remove' || (before?.op === 'update' && op === 'upsert')) flush()
    const known = pending.get(id)
    if (known === undefined || known.op === 'remove') pending.set(id, { op, row: bound(row) })
    else pending.set(id, { op: known.op, row: { ...known.row, ...bound(row) } })
  }

  const add = (change: RowChange): void => {
    switch (change.op) {
      case 'upsert':
        for (const row of change.rows) {
          const id = keyOf(row)
          if (id === undefined) alone({ ...change, rows: [row] })
          else merge(id, 'upsert', row)
        }
        return
      case 'update': {
        const id = keyOf(change.where)
        const names = Object.keys(change.where)
        const isOfKey = id !== undefined && names.length === 1 && !Object.hasOwn(change.set, names[0] ?? '')
        if (!isOfKey) alone(change)
        else if (Object.keys(change.set).length > 0) merge(id, 'update', { ...change.where, ...change.set })
        return
      }
      case 'remove': {
        const id = keyOf(change.where)
        if (id === undefined || Object.keys(change.where).length > 1) alone(change)
        else pending.set(id, { op: 'remove' })
        return
      }
      case 'truncate':
        pending.clear()
        writeChange(database, table, change)
    }
  }

  return { add, flush }
}
