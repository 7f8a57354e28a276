import { applyLoosely } from '../loose/loose-changes.ts'
import type { RebuildPort } from '../ports.ts'
import type { Scope, Transactions } from '../sqlite/transactions.ts'
import { copyOf, quotedName } from '../table-names.ts'
import type { Constraints } from './constraints.ts'
import type { DuckDBDatabase } from './duckdb-database.ts'
import { looseWriter } from './loose-writing.ts'
import { tablesOf, type EngineTable } from './row-writing.ts'
import { looseTableSql, type Schema } from './schema.ts'

type Parts = {
  readonly database: DuckDBDatabase
  readonly transactions: Transactions
  readonly schema: Schema
  readonly constraints: Constraints
}

const sameKey = ({ primaryKey }: EngineTable, one: string, other: string): string =>
  primaryKey.map((name) => `${one}.${quotedName(name)} = ${other}.${quotedName(name)}`).join(' AND ')

const sameRow = ({ columns }: EngineTable, one: string, other: string): string =>
  [...columns]
    .map((name) => `${one}.${quotedName(name)} IS NOT DISTINCT FROM ${other}.${quotedName(name)}`)
    .join(' AND ')

const IS_THERE = 'SELECT 1 FROM information_schema.tables WHERE table_name = ?'

/** Copies of tables beside them, as `sqlite/copies.ts` has them. `scope` is the transaction that its calls belong to. */
export const createCopies = (
  { database, transactions, schema, constraints }: Parts,
  scope: Scope | null
): RebuildPort => {
  const tableOf = tablesOf(schema)
  const drop = ({ name }: EngineTable): void => {
    database.write(`DROP TABLE IF EXISTS ${quotedName(copyOf(name))}`)
  }

  const swap = (tables: readonly EngineTable[]): void => {
    // All that goes goes first: what comes may need its place in a unique index.
    for (const table of tables) {
      const [old, next] = [quotedName(table.name), quotedName(copyOf(table.name))]
      database.write(
        `DELETE FROM ${old} WHERE NOT EXISTS
         (SELECT 1 FROM ${next} n WHERE ${sameKey(table, 'n', old)} AND ${sameRow(table, 'n', old)})`
      )
    }
    for (const table of tables) {
      const [old, next] = [quotedName(table.name), quotedName(copyOf(table.name))]
      const columns = [...table.columns].map(quotedName).join(', ')
      database.write(
        `INSERT INTO ${old} (${columns}) SELECT ${columns} FROM ${next} n WHERE NOT EXISTS
         (SELECT 1 FROM ${old} o WHERE ${sameKey(table, 'o', 'n')}) ORDER BY n.rowid`
      )
      database.written.add(table.name)
    }
    // References between the tables hold once all of them are in place.
    for (const table of tables) {
      constraints.checkTable(table.name)
      drop(table)
    }
  }

  return {
    begin: ({ tables }) =>
      transactions.perform(scope, true, () => {
        for (const table of tables.map(tableOf)) {
          drop(table)
          database.write(looseTableSql(schema, table.name, copyOf(table.name)))
        }
      }),
    isBegun: ({ tables }) =>
      transactions.perform(scope, false, () =>
        tables.map(tableOf).every(({ name }) => database.all(IS_THERE, [copyOf(name)]).length > 0)
      ),
    apply: ({ changes }) =>
      transactions.perform(scope, true, () =>
        applyLoosely(
          changes,
          (name): EngineTable => ({ ...tableOf(name), target: copyOf(name) }),
          (table) => looseWriter(database, table)
        )
      ),
    swap: ({ tables }) => transactions.perform(scope, true, () => swap(tables.map(tableOf))),
    abandon: ({ tables }) =>
      transactions.perform(scope, true, () => {
        for (const table of tables.map(tableOf)) drop(table)
      })
  }
}
