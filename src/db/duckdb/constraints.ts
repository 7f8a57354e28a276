import { FlowForgeError, type Row } from '../ports.ts'
import { quotedName } from '../table-names.ts'
import type { DuckDBDatabase } from './duckdb-database.ts'
import type { ForeignKey, PartialKey, Schema } from './schema.ts'
import { toBound } from '../sqlite/row-writing.ts'

/**
 * What the schema demands and DuckDB cannot check: references (its own are checked too early within a transaction) and
 * keys that hold among some rows alone. Called after a write, in its transaction; what is thrown takes the write back.
 */
export type Constraints = {
  /** After rows with these values were inserted or changed. */
  checkRows(table: string, rows: readonly Row[]): void
  /** After rows were removed, or anything may have happened to the table. */
  checkTable(table: string): void
  /** References may be wrong until the transaction commits. */
  defer(): void
}

const orphansSql = ({ child, column, parent, parentColumn }: ForeignKey): string =>
  `SELECT c.${quotedName(column)} AS missing FROM ${quotedName(child)} c WHERE c.${quotedName(column)} IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM ${quotedName(parent)} p WHERE p.${quotedName(parentColumn)} = c.${quotedName(column)})
   LIMIT 1`

const doublesSql = ({ table, columns, where }: PartialKey): string => {
  const list = columns.map(quotedName).join(', ')
  return `SELECT ${list} FROM ${quotedName(table)} WHERE ${where} GROUP BY ${list} HAVING count(*) > 1 LIMIT 1`
}

const missing = ({ child, column, parent, parentColumn }: ForeignKey, value: unknown): FlowForgeError =>
  new FlowForgeError(
    'INVALID_INPUT',
    `FOREIGN KEY constraint failed: ${child}.${column} is "${String(value)}", which no ${parent}.${parentColumn} is.`,
    { table: child, column, parent }
  )

export const createConstraints = (schema: Schema, database: DuckDBDatabase): Constraints => {
  let isDeferred = false

  const checkKey = (key: ForeignKey): void => {
    const [orphan] = database.all(orphansSql(key))
    if (orphan !== undefined) throw missing(key, orphan['missing'])
  }

  const checkPartial = (table: string): void => {
    for (const key of schema.partialKeys) {
      if (key.table !== table || database.all(doublesSql(key)).length === 0) continue
      const columns = key.columns.map((column) => `${table}.${column}`).join(', ')
      throw new FlowForgeError('CONFLICT', `There is already a row with the same ${columns}.`, { table })
    }
  }

  const checkValue = (key: ForeignKey, value: unknown): void => {
    if (value === undefined || value === null) return
    const sql = `SELECT 1 FROM ${quotedName(key.parent)} WHERE ${quotedName(key.parentColumn)} = ?`
    if (database.all(sql, [toBound(value, `${key.child}.${key.column}`)]).length === 0)
      throw missing(key, value)
  }

  database.beforeCommit.check = () => {
    if (!isDeferred) return
    isDeferred = false
    for (const key of schema.foreignKeys) checkKey(key)
  }

  return {
    checkRows: (table, rows) => {
      if (!isDeferred) {
        for (const key of schema.foreignKeys) {
          if (key.child === table) for (const row of rows) checkValue(key, row[key.column])
          // A row that others refer to may have got another key.
          if (key.parent === table && rows.some((row) => key.parentColumn in row)) checkKey(key)
        }
      }
      checkPartial(table)
    },
    checkTable: (table) => {
      if (!isDeferred) {
        for (const key of schema.foreignKeys) if (key.child === table || key.parent === table) checkKey(key)
      }
      checkPartial(table)
    },
    defer: () => {
      isDeferred = true
    }
  }
}
