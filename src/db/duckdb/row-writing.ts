import { FlowForgeError, type Row } from '../ports.ts'
import type { RowChange } from '../rebuild-port.ts'
import { columnsOf, toBound, type Table } from '../sqlite/row-writing.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'
import { checkCallersTable, quotedName } from '../table-names.ts'
import type { DuckDBDatabase } from './duckdb-database.ts'
import { engineTypeOf, type Schema, type SchemaTable } from './schema.ts'

/** A table that callers may write, with its columns' types as the engine names them. */
export type EngineTable = Table & { readonly types: ReadonlyMap<string, string> }

const toEngineTable = ({ name, columns, primaryKey }: SchemaTable): EngineTable => ({
  name,
  target: name,
  columns: new Set(columns.map((column) => column.name)),
  primaryKey,
  types: new Map(columns.map((column) => [column.name, engineTypeOf(column)]))
})

/** Finds a table for a caller. Found, it throws `NOT_ALLOWED` for one that is not the callers', `NOT_FOUND`, `INVALID_INPUT`. */
export const tablesOf = (schema: Schema): ((name: string) => EngineTable) => {
  const tables = new Map(schema.tables.map((table) => [table.name.toLowerCase(), toEngineTable(table)]))
  return (name) => {
    checkCallersTable(name)
    const table = tables.get(name.toLowerCase())
    if (table !== undefined) return table
    throw new FlowForgeError('NOT_FOUND', `There is no table "${name}".`, { table: name })
  }
}

const valuesOf = ({ name }: Table, row: Row, names: readonly string[]): Bound[] =>
  names.map((column) => toBound(row[column], `${name}.${column}`))

const setSql = (names: readonly string[]): string => names.map((name) => `${quotedName(name)} = ?`).join(', ')

/** A value that is compared becomes one of the column's type; left to itself the engine would turn the column's into its type. */
const whereSql = ({ types }: EngineTable, names: readonly string[]): string => {
  if (names.length === 0) throw new FlowForgeError('INVALID_INPUT', 'Which rows? `where` names no column.')
  return names
    .map((name) => `${quotedName(name)} IS NOT DISTINCT FROM CAST(? AS ${String(types.get(name))})`)
    .join(' AND ')
}

/** Makes one change, row by row; what the engine cannot check by itself is left to the caller. */
export const writeChange = (database: DuckDBDatabase, table: EngineTable, change: RowChange): void => {
  const target = quotedName(table.target)
  const { primaryKey } = table

  const write = (sql: string, params: readonly Bound[] = []): void => {
    database.write(sql, params)
    // Nobody follows a copy.
    if (table.target === table.name) database.written.add(table.name)
  }

  const isStored = (row: Row): boolean => {
    if (!primaryKey.every((column) => column in row)) return false
    const sql = `SELECT 1 FROM ${target} WHERE ${whereSql(table, primaryKey)}`
    return database.all(sql, valuesOf(table, row, primaryKey)).length > 0
  }

  /** DuckDB's own upsert refuses to set a column that another key covers. */
  const upsertRow = (row: Row): void => {
    const names = columnsOf(table, row)
    if (names.length === 0)
      throw new FlowForgeError('INVALID_INPUT', `A row for "${table.name}" is empty.`, { table: table.name })
    if (isStored(row)) {
      const changed = names.filter((column) => !primaryKey.includes(column))
      if (changed.length === 0) return
      const sql = `UPDATE ${target} SET ${setSql(changed)} WHERE ${whereSql(table, primaryKey)}`
      write(sql, [...valuesOf(table, row, changed), ...valuesOf(table, row, primaryKey)])
    } else {
      const sql = `INSERT INTO ${target} (${names.map(quotedName).join(', ')})
        VALUES (${names.map(() => '?').join(', ')})`
      write(sql, valuesOf(table, row, names))
    }
  }

  switch (change.op) {
    case 'upsert':
      for (const row of change.rows) upsertRow(row)
      return
    case 'update': {
      const [wanted, changed] = [columnsOf(table, change.where), columnsOf(table, change.set)]
      if (changed.length === 0) return
      const sql = `UPDATE ${target} SET ${setSql(changed)} WHERE ${whereSql(table, wanted)}`
      write(sql, [...valuesOf(table, change.set, changed), ...valuesOf(table, change.where, wanted)])
      return
    }
    case 'remove': {
      const wanted = columnsOf(table, change.where)
      write(`DELETE FROM ${target} WHERE ${whereSql(table, wanted)}`, valuesOf(table, change.where, wanted))
      return
    }
    case 'truncate':
      write(`DELETE FROM ${target}`)
  }
}
