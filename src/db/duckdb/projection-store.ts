import { FlowForgeError, type ProjectionStorePort, type Row } from '../ports.ts'
import type { RowChange } from '../rebuild-port.ts'
import { toBound } from '../sqlite/row-writing.ts'
import { DEFAULT_TIMEOUT_MS } from '../sqlite/read-only-query.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'
import type { Scope, Transactions } from '../sqlite/transactions.ts'
import type { Constraints } from './constraints.ts'
import { withArrowsFirst } from './dialect.ts'
import type { DuckDBDatabase } from './duckdb-database.ts'
import { readOnlyQuery } from './read-only-query.ts'
import { tablesOf, writeChange } from './row-writing.ts'
import type { Schema } from './schema.ts'
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
  const tableOf = tablesOf(schema)
  const known = schema.tables.map(({ name }) => name)

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
      database.written.add(known.find((table) => table.toLowerCase() === name.toLowerCase()) ?? name)
      constraints.checkTable(name)
    }
    return rows
  }

  const applyOne = (change: RowChange): void => {
    const table = tableOf(change.table)
    writeChange(database, table, change)
    if (change.op === 'upsert') constraints.checkRows(table.name, change.rows)
    else if (change.op === 'update') constraints.checkRows(table.name, [change.set])
    else constraints.checkTable(table.name)
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
          { tables: known, views: schema.views },
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
