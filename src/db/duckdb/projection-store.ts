import { FlowForgeError, type ProjectionStorePort, type Row } from '../ports.ts'
import type { RowChange } from '../rebuild-port.ts'
import { toBound } from '../sqlite/row-writing.ts'
import { DEFAULT_TIMEOUT_MS } from '../sqlite/read-only-query.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'
import type { Scope, Transactions } from '../sqlite/transactions.ts'
import { checkCallersTable, quotedName } from '../table-names.ts'
import type { Constraints } from './constraints.ts'
import { withArrowsFirst } from './dialect.ts'
import type { DuckDBDatabase } from './duckdb-database.ts'
import { readOnlyQuery } from './read-only-query.ts'
import type { Schema, SchemaTable } from './schema.ts'
import { namesIn } from './statement-names.ts'

type Parts = {
  readonly database: DuckDBDatabase
  readonly transactions: Transactions
  readonly schema: Schema
  readonly constraints: Constraints
}

const DEFER = /^\s*PRAGMA\s+defer_foreign_keys\s*=\s*(ON|1|TRUE)\s*;?\s*$/i

const refused = (sql: string): FlowForgeError =>
  new FlowForgeError('NOT_ALLOWED', 'An event is never changed or deleted.', { sql })

/** Rows of the read models over DuckDB. `scope` is the transaction that its calls belong to, if one is given. */
export const createProjectionStore = (
  { database, transactions, schema, constraints }: Parts,
  scope: Scope | null
): ProjectionStorePort => {
  const tables = new Map(schema.tables.map((table) => [table.name.toLowerCase(), table]))

  const tableOf = (name: string): SchemaTable => {
    checkCallersTable(name)
    const table = tables.get(name.toLowerCase())
    if (table === undefined)
      throw new FlowForgeError('NOT_FOUND', `There is no table "${name}".`, { table: name })
    return table
  }

  const columnsOf = ({ name: table, columns }: SchemaTable, row: Row): string[] => {
    const names = Object.keys(row)
    const unknown = names.find((name) => !columns.some((column) => column.name === name))
    if (unknown === undefined) return names
    const has = columns.map(({ name }) => name).join(', ')
    const message = `The table "${table}" has no column "${unknown}". It has ${has}.`
    throw new FlowForgeError('INVALID_INPUT', message, { table, column: unknown })
  }

  const valuesOf = ({ name }: SchemaTable, row: Row, names: readonly string[]): Bound[] =>
    names.map((column) => toBound(row[column], `${name}.${column}`))

  const setSql = (names: readonly string[]): string =>
    names.map((name) => `${quotedName(name)} = ?`).join(', ')

  const whereSql = (names: readonly string[]): string => {
    if (names.length === 0) throw new FlowForgeError('INVALID_INPUT', 'Which rows? `where` names no column.')
    return names.map((name) => `${quotedName(name)} IS NOT DISTINCT FROM ?`).join(' AND ')
  }

  const write = (table: SchemaTable, sql: string, params: readonly Bound[] = []): void => {
    database.write(sql, params)
    database.written.add(table.name)
  }

  const isStored = (table: SchemaTable, row: Row): boolean => {
    const { name, primaryKey } = table
    if (!primaryKey.every((column) => column in row)) return false
    const sql = `SELECT 1 FROM ${quotedName(name)} WHERE ${whereSql(primaryKey)}`
    return database.all(sql, valuesOf(table, row, primaryKey)).length > 0
  }

  /** DuckDB's own upsert refuses to set a column that another key covers. */
  const upsertRow = (table: SchemaTable, row: Row): void => {
    const names = columnsOf(table, row)
    const { name, primaryKey } = table
    if (names.length === 0)
      throw new FlowForgeError('INVALID_INPUT', `A row for "${name}" is empty.`, { table: name })
    if (isStored(table, row)) {
      const changed = names.filter((column) => !primaryKey.includes(column))
      if (changed.length === 0) return
      const sql = `UPDATE ${quotedName(name)} SET ${setSql(changed)} WHERE ${whereSql(primaryKey)}`
      write(table, sql, [...valuesOf(table, row, changed), ...valuesOf(table, row, primaryKey)])
    } else {
      const sql = `INSERT INTO ${quotedName(name)} (${names.map(quotedName).join(', ')})
        VALUES (${names.map(() => '?').join(', ')})`
      write(table, sql, valuesOf(table, row, names))
    }
  }

  const boundOf = (params: readonly unknown[]): Bound[] =>
    params.map((param) => toBound(param, 'A parameter'))

  const query = (sql: string, params: readonly unknown[]): Row[] => {
    if (DEFER.test(sql)) {
      constraints.defer()
      return []
    }
    const { written } = namesIn(database.bindings, sql)
    if (written.length === 0) return database.all(sql, boundOf(params))
    if (written.some((name) => name.toLowerCase() === 'events')) throw refused(sql)
    const rows = database.write(sql, boundOf(params))
    for (const name of written) {
      database.written.add(tables.get(name.toLowerCase())?.name ?? name)
      constraints.checkTable(name)
    }
    return rows
  }

  const upsert = (name: string, rows: readonly Row[]): void => {
    const table = tableOf(name)
    for (const row of rows) upsertRow(table, row)
    constraints.checkRows(table.name, rows)
  }

  const update = (name: string, where: Row, set: Row): void => {
    const table = tableOf(name)
    const [wanted, changed] = [columnsOf(table, where), columnsOf(table, set)]
    if (changed.length === 0) return
    const sql = `UPDATE ${quotedName(table.name)} SET ${setSql(changed)} WHERE ${whereSql(wanted)}`
    write(table, sql, [...valuesOf(table, set, changed), ...valuesOf(table, where, wanted)])
    constraints.checkRows(table.name, [set])
  }

  const remove = (name: string, where: Row): void => {
    const table = tableOf(name)
    const wanted = columnsOf(table, where)
    const sql = `DELETE FROM ${quotedName(table.name)} WHERE ${whereSql(wanted)}`
    write(table, sql, valuesOf(table, where, wanted))
    constraints.checkTable(table.name)
  }

  const truncate = (name: string): void => {
    const table = tableOf(name)
    write(table, `DELETE FROM ${quotedName(table.name)}`)
    constraints.checkTable(table.name)
  }

  const applyOne = (change: RowChange): void => {
    switch (change.op) {
      case 'upsert':
        return upsert(change.table, change.rows)
      case 'update':
        return update(change.table, change.where, change.set)
      case 'remove':
        return remove(change.table, change.where)
      case 'truncate':
        return truncate(change.table)
    }
  }

  const apply = (changes: readonly RowChange[]): Promise<void> =>
    transactions.perform(scope, true, () => {
      for (const change of changes) applyOne(change)
    })

  return {
    query: ({ sql, params = [] }) =>
      transactions.perform(scope, true, () => query(withArrowsFirst(sql), params)),
    read: ({ sql, params = [], timeoutMs = DEFAULT_TIMEOUT_MS }) =>
      transactions.perform(scope, false, () =>
        readOnlyQuery(
          database,
          { tables: [...tables.values()].map(({ name }) => name), views: schema.views },
          {
            sql: withArrowsFirst(sql),
            params: boundOf(params),
            timeoutMs
          }
        )
      ),
    upsert: ({ table, rows }) => apply([{ op: 'upsert', table, rows }]),
    update: ({ table, where, set }) => apply([{ op: 'update', table, where, set }]),
    remove: ({ table, where }) => apply([{ op: 'remove', table, where }]),
    truncate: ({ table }) => apply([{ op: 'truncate', table }]),
    apply: ({ changes }) => apply(changes)
  }
}
