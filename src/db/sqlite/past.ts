import { migrate } from '../migrations/migrate.ts'
import type { Migration } from '../migrations/migrations.ts'
import type { Past } from '../ports.ts'
import { looseTable } from './copies.ts'
import { applyLoosely } from '../loose/loose-changes.ts'
import { looseWriter } from './loose-writing.ts'
import { openMemoryDatabase } from './open-database.ts'
import { createProjectionStore } from './projection-store.ts'
import { quotedName } from '../table-names.ts'
import { tableOf } from './row-writing.ts'
import { createTransactions } from './transactions.ts'

/** Opens a database of its own in memory, whose `tables` take rows in any order and keep the indexes that find them. */
export const openPast = async (
  tables: readonly string[],
  migrations: readonly Migration[],
  now: () => string
): Promise<Past> => {
  const database = await openMemoryDatabase()
  await migrate(database, migrations, now)
  database.script('PRAGMA foreign_keys = OFF')
  for (const name of tables) {
    const table = tableOf(database, name)
    const indexes = database.all(
      `SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql LIKE 'CREATE INDEX%'`,
      [name]
    )
    const loose = looseTable(database, table, name)
    database.script(`DROP TABLE ${quotedName(name)}`)
    for (const sql of [loose, ...indexes.map((row) => String(row['sql']))]) database.script(sql)
  }
  const transactions = createTransactions(database)
  const { read } = createProjectionStore(database, transactions, null)
  return {
    read,
    apply: ({ changes }) =>
      transactions.perform(null, true, () =>
        applyLoosely(
          changes,
          (name) => tableOf(database, name),
          (table) => looseWriter(database, table)
        )
      ),
    close: async () => {
      await transactions.close()
      database.close()
    }
  }
}
