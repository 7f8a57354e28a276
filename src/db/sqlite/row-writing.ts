import { FlowForgeError, type Row } from '../ports.ts'
import type { RowChange } from '../rebuild-port.ts'
import { checkCallersTable, quotedName } from '../table-names.ts'
import type { Bound, SqliteDatabase } from './sqlite-database.ts'

const INT64 = 2n ** 63n

const unstorable = (what: string, found: string, cause?: unknown): FlowForgeError =>
  new FlowForgeError('INVALID_INPUT', `${what} is ${found}, which cannot be stored.`, {}, cause)

const jsonOf = (value: object, what: string): string => {
  try {
    const json: unknown = JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'bigint' ? String(inner) : inner
    )
    if (typeof json === 'string') return json
  } catch (cause) {
    throw unstorable(what, 'an object that has no JSON', cause)
  }
  throw unstorable(what, 'an object that has no JSON')
}

/** What a caller gives as a value, as SQLite stores it: objects as JSON, booleans as 0 and 1, dates as ISO text. */
export const toBound = (value: unknown, what: string): Bound => {
  switch (typeof value) {
    case 'string':
      return value
    case 'bigint':
      if (value >= INT64 || value < -INT64) throw unstorable(what, 'an integer beyond 64 bits')
      return value
    case 'number':
      return Number.isNaN(value) ? null : value
    case 'boolean':
      return value ? 1 : 0
    case 'undefined':
      return null
    case 'object':
      if (value === null || value instanceof Uint8Array) return value
      if (!(value instanceof Date)) return jsonOf(value, what)
      if (Number.isNaN(value.getTime())) throw unstorable(what, 'an invalid date')
      return value.toISOString()
    case 'function':
    case 'symbol':
      throw unstorable(what, `a ${typeof value}`)
  }
}

/** A table that may be written: its columns, and where its rows go (itself, or its copy). */
export type Table = {
  readonly name: string
  readonly target: string
  readonly columns: ReadonlySet<string>
  readonly primaryKey: readonly string[]
}

/** Tables are looked up once: while a database is open, their columns do not change. */
const looked = new WeakMap<SqliteDatabase, Map<string, Table>>()

/** @throws FlowForgeError `NOT_ALLOWED` for a table that is not the callers', `NOT_FOUND`, `INVALID_INPUT` */
export const tableOf = (database: SqliteDatabase, name: string): Table => {
  const tables = looked.get(database) ?? new Map<string, Table>()
  looked.set(database, tables)
  const known = tables.get(name)
  if (known !== undefined) return known
  checkCallersTable(name)
  const rows = database.all(
    `SELECT i.name, i.pk FROM sqlite_schema s, pragma_table_info(s.name) i
     WHERE s.type = 'table' AND s.name = ? COLLATE NOCASE ORDER BY i.pk`,
    [name]
  )
  if (rows.length === 0)
    throw new FlowForgeError('NOT_FOUND', `There is no table "${name}".`, { table: name })
  const table: Table = {
    name,
    target: name,
    columns: new Set(rows.map((row) => String(row['name']))),
    primaryKey: rows.filter((row) => Number(row['pk']) > 0).map((row) => String(row['name']))
  }
  tables.set(name, table)
  return table
}

export const columnsOf = ({ name: table, columns }: Table, row: Row): string[] => {
  const names = Object.keys(row)
  const unknown = names.find((name) => !columns.has(name))
  if (unknown === undefined) return names
  const message = `The table "${table}" has no column "${unknown}". It has ${[...columns].join(', ')}.`
  throw new FlowForgeError('INVALID_INPUT', message, { table, column: unknown })
}

const valuesOf = (table: Table, row: Row, names: readonly string[]): Bound[] =>
  names.map((name) => toBound(row[name], `${table.name}.${name}`))

/** What an insert does where its key is there already. */
export const onConflict = ({ primaryKey }: Table, names: readonly string[]): string => {
  const updated = names.filter((name) => !primaryKey.includes(name))
  const set = updated.map((name) => `${quotedName(name)} = excluded.${quotedName(name)}`).join(', ')
  return `ON CONFLICT (${primaryKey.map(quotedName).join(', ')}) ${updated.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${set}`}`
}

/** SQLite checks NOT NULL before it sees the conflict, so a row of few columns must meet the stored one by an UPDATE. */
const updateExisting = (database: SqliteDatabase, table: Table, row: Row, names: readonly string[]) => {
  const { primaryKey, columns } = table
  const set = names.filter((name) => !primaryKey.includes(name))
  if (names.length === columns.size || set.length === 0) return false
  if (!primaryKey.every((name) => names.includes(name))) return false
  const sql = `UPDATE ${quotedName(table.target)} SET ${set.map((name) => `${quotedName(name)} = ?`).join(', ')}
    WHERE ${primaryKey.map((name) => `${quotedName(name)} = ?`).join(' AND ')}`
  database.run(sql, [...valuesOf(table, row, set), ...valuesOf(table, row, primaryKey)])
  return database.sqlite3.capi.sqlite3_changes(database.handle) > 0
}

const whereOf = (names: readonly string[]): string => {
  if (names.length === 0) throw new FlowForgeError('INVALID_INPUT', 'Which rows? `where` names no column.')
  return names.map((name) => `${quotedName(name)} IS ?`).join(' AND ')
}

const upsertRow = (database: SqliteDatabase, table: Table, row: Row): void => {
  const names = columnsOf(table, row)
  if (names.length === 0)
    throw new FlowForgeError('INVALID_INPUT', `A row for "${table.name}" is empty.`, { table: table.name })
  if (updateExisting(database, table, row, names)) return
  const sql = `INSERT INTO ${quotedName(table.target)} (${names.map(quotedName).join(', ')})
    VALUES (${names.map(() => '?').join(', ')}) ${onConflict(table, names)}`
  database.run(sql, valuesOf(table, row, names))
}

/** Makes one change, statement by statement. */
export const writeChange = (database: SqliteDatabase, table: Table, change: RowChange): void => {
  const target = quotedName(table.target)
  switch (change.op) {
    case 'upsert':
      for (const row of change.rows) upsertRow(database, table, row)
      return
    case 'update': {
      const [wanted, changed] = [columnsOf(table, change.where), columnsOf(table, change.set)]
      if (changed.length === 0) return
      const set = changed.map((name) => `${quotedName(name)} = ?`).join(', ')
      database.run(`UPDATE ${target} SET ${set} WHERE ${whereOf(wanted)}`, [
        ...valuesOf(table, change.set, changed),
        ...valuesOf(table, change.where, wanted)
      ])
      return
    }
    case 'remove': {
      const wanted = columnsOf(table, change.where)
      database.run(`DELETE FROM ${target} WHERE ${whereOf(wanted)}`, valuesOf(table, change.where, wanted))
      return
    }
    case 'truncate':
      database.run(`DELETE FROM ${target}`)
  }
}
