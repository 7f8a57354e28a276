import { FlowForgeError, type ProjectionStorePort, type Row } from '../ports.ts'
import { DEFAULT_TIMEOUT_MS, readOnlyQuery } from './read-only-query.ts'
import type { Bound, SqliteDatabase } from './sqlite-database.ts'
import type { Scope, Transactions } from './transactions.ts'

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
/** Tables that only storage itself writes. */
const PROTECTED = new Set([
  'events',
  'snapshots',
  'projection_checkpoints',
  'schema_migrations',
  'blobs',
  'log_seals',
  'health_reports'
])

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

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

type Table = { readonly columns: ReadonlySet<string>; readonly primaryKey: readonly string[] }

/** Rows of the read models over SQLite. `scope` is the transaction that its calls belong to, if one is given. */
export const createProjectionStore = (
  database: SqliteDatabase,
  transactions: Transactions,
  scope: Scope | null
): ProjectionStorePort => {
  const tableOf = (name: string): Table => {
    if (!NAME.test(name))
      throw new FlowForgeError('INVALID_INPUT', `"${name}" is not a table's name.`, { table: name })
    if (PROTECTED.has(name.toLowerCase()) || name.toLowerCase().startsWith('sqlite_')) {
      throw new FlowForgeError('NOT_ALLOWED', `The table "${name}" is written by FlowForge alone.`, {
        table: name
      })
    }
    const rows = database.all('SELECT name, pk FROM pragma_table_info(?) ORDER BY pk', [name])
    if (rows.length === 0)
      throw new FlowForgeError('NOT_FOUND', `There is no table "${name}".`, { table: name })
    return {
      columns: new Set(rows.map((row) => String(row['name']))),
      primaryKey: rows.filter((row) => Number(row['pk']) > 0).map((row) => String(row['name']))
    }
  }

  const columnsOf = (table: string, { columns }: Table, row: Row): string[] => {
    const names = Object.keys(row)
    const unknown = names.find((name) => !columns.has(name))
    if (unknown === undefined) return names
    const message = `The table "${table}" has no column "${unknown}". It has ${[...columns].join(', ')}.`
    throw new FlowForgeError('INVALID_INPUT', message, { table, column: unknown })
  }

  const valuesOf = (table: string, row: Row, names: readonly string[]): Bound[] =>
    names.map((name) => toBound(row[name], `${table}.${name}`))

  const upsertSql = (table: string, { primaryKey }: Table, names: readonly string[]): string => {
    const updated = names.filter((name) => !primaryKey.includes(name))
    const set = updated.map((name) => `${quoted(name)} = excluded.${quoted(name)}`).join(', ')
    const conflict = primaryKey.map(quoted).join(', ')
    const onConflict = updated.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${set}`
    return `INSERT INTO ${quoted(table)} (${names.map(quoted).join(', ')})
      VALUES (${names.map(() => '?').join(', ')}) ON CONFLICT (${conflict}) ${onConflict}`
  }

  /** SQLite checks NOT NULL before it sees the conflict, so a row of few columns must meet the stored one by an UPDATE. */
  const updateExisting = (
    table: string,
    { primaryKey, columns }: Table,
    row: Row,
    names: readonly string[]
  ) => {
    const set = names.filter((name) => !primaryKey.includes(name))
    if (names.length === columns.size || set.length === 0) return false
    if (!primaryKey.every((name) => names.includes(name))) return false
    const sql = `UPDATE ${quoted(table)} SET ${set.map((name) => `${quoted(name)} = ?`).join(', ')}
      WHERE ${primaryKey.map((name) => `${quoted(name)} = ?`).join(' AND ')}`
    database.run(sql, [...valuesOf(table, row, set), ...valuesOf(table, row, primaryKey)])
    return database.sqlite3.capi.sqlite3_changes(database.handle) > 0
  }

  const whereOf = (names: readonly string[]): string => {
    if (names.length === 0) throw new FlowForgeError('INVALID_INPUT', 'Which rows? `where` names no column.')
    return names.map((name) => `${quoted(name)} IS ?`).join(' AND ')
  }

  return {
    query: ({ sql, params = [] }) =>
      // Trusted, so it may write; a text is not looked into.
      transactions.perform(scope, true, () =>
        database.all(
          sql,
          params.map((param) => toBound(param, 'A parameter'))
        )
      ),
    read: ({ sql, params = [], timeoutMs = DEFAULT_TIMEOUT_MS }) =>
      transactions.perform(scope, false, () =>
        readOnlyQuery(database, {
          sql,
          params: params.map((param) => toBound(param, 'A parameter')),
          timeoutMs
        })
      ),
    upsert: ({ table, rows }) =>
      transactions.perform(scope, true, () => {
        const known = tableOf(table)
        for (const row of rows) {
          const names = columnsOf(table, known, row)
          if (names.length === 0)
            throw new FlowForgeError('INVALID_INPUT', `A row for "${table}" is empty.`, { table })
          if (!updateExisting(table, known, row, names)) {
            database.run(upsertSql(table, known, names), valuesOf(table, row, names))
          }
        }
      }),
    update: ({ table, where, set }) =>
      transactions.perform(scope, true, () => {
        const known = tableOf(table)
        const [wanted, changed] = [columnsOf(table, known, where), columnsOf(table, known, set)]
        if (changed.length === 0) return
        const sql = `UPDATE ${quoted(table)} SET ${changed.map((name) => `${quoted(name)} = ?`).join(', ')} WHERE ${whereOf(wanted)}`
        database.run(sql, [...valuesOf(table, set, changed), ...valuesOf(table, where, wanted)])
      }),
    remove: ({ table, where }) =>
      transactions.perform(scope, true, () => {
        const wanted = columnsOf(table, tableOf(table), where)
        database.run(`DELETE FROM ${quoted(table)} WHERE ${whereOf(wanted)}`, valuesOf(table, where, wanted))
      }),
    truncate: ({ table }) =>
      transactions.perform(scope, true, () => {
        tableOf(table)
        database.run(`DELETE FROM ${quoted(table)}`)
      })
  }
}
