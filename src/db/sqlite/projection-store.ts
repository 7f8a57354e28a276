import type { ProjectionStorePort } from '../ports.ts'
import type { RowChange } from '../rebuild-port.ts'
import { DEFAULT_TIMEOUT_MS, readOnlyQuery } from './read-only-query.ts'
import { tableOf, toBound, writeChange } from './row-writing.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import type { Scope, Transactions } from './transactions.ts'

/** Rows of the read models over SQLite. `scope` is the transaction that its calls belong to, if one is given. */
export const createProjectionStore = (
  database: SqliteDatabase,
  transactions: Transactions,
  scope: Scope | null
): ProjectionStorePort => {
  const apply = (changes: readonly RowChange[]): Promise<void> =>
    transactions.perform(scope, true, () => {
      for (const change of changes) writeChange(database, tableOf(database, change.table), change)
    })

  return {
    query: ({ sql, params = [] }) =>
      // Trusted, so it may write; SQLite says whether it does.
      transactions.perform(scope, !database.isReading(sql), () =>
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
    upsert: (args) => apply([{ op: 'upsert', ...args }]),
    update: (args) => apply([{ op: 'update', ...args }]),
    remove: (args) => apply([{ op: 'remove', ...args }]),
    truncate: (args) => apply([{ op: 'truncate', ...args }]),
    apply: ({ changes }) => apply(changes)
  }
}
