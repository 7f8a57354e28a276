import { openMemoryDatabase } from '../sqlite/open-database.ts'
import { applyChanges } from '../sqlite/changesets.ts'
import { readOnlyQuery } from '../sqlite/read-only-query.ts'
import { quotedName } from '../table-names.ts'
import type { NewRows, ReplicaTable } from './messages.ts'
import { countSql, type ReplicaStore } from './replica-store.ts'

const decoder = new TextDecoder()

/** One bind for a slice; the strict columns give each value its type again. */
const copySql = ({ name, columns }: ReplicaTable): string => {
  const values = columns.map(({ type }, at) =>
    type === 'BLOB' ? `unhex(value ->> ${at})` : `value ->> ${at}`
  )
  return `INSERT OR REPLACE INTO ${quotedName(name)} (${columns.map((column) => quotedName(column.name)).join(', ')})
    SELECT ${values.join(', ')} FROM json_each(?) ORDER BY key`
}

/** Puts rows behind all others of their table, one by one. */
const lastSql = ({ name, primaryKey }: ReplicaTable): string =>
  `UPDATE ${quotedName(name)} SET rowid = (SELECT max(rowid) FROM ${quotedName(name)}) + 1
   WHERE ${primaryKey.map((column) => `${quotedName(column)} = ?`).join(' AND ')}`

/** The plain replica: SQLite in memory. References are the writer's to keep. */
export const openSqliteReplica = async (): Promise<ReplicaStore> => {
  const database = await openMemoryDatabase()
  database.script('PRAGMA foreign_keys = OFF')
  const tables = new Map<string, ReplicaTable>()

  const order = (newRows: readonly NewRows[]): void => {
    for (const { table: name, keys } of newRows) {
      const table = tables.get(name)
      if (table === undefined || keys.length < 2) continue
      for (const key of keys) database.run(lastSql(table), key)
    }
  }

  return {
    create: (all, views) => {
      for (const table of all) {
        tables.set(table.name, table)
        for (const sql of table.sql) database.script(sql)
      }
      for (const { sql } of views) database.script(sql)
    },
    copy: (name, rows) => {
      const table = tables.get(name)
      if (table !== undefined) database.run(copySql(table), [decoder.decode(rows)])
    },
    apply: (changeset, isExact, newRows) => {
      database.script('BEGIN')
      try {
        applyChanges(database.sqlite3, database.handle, changeset, isExact)
        order(newRows)
        database.script('COMMIT')
      } catch (thrown) {
        database.script('ROLLBACK')
        throw thrown
      }
    },
    position: () =>
      Number(database.all('SELECT coalesce(max(position), 0) AS position FROM events')[0]?.['position']),
    counts: () =>
      Object.fromEntries(
        [...tables.values()].map((table) => [
          table.name,
          String(database.all(countSql(table, 'octet_length'))[0]?.['counted'])
        ])
      ),
    read: (args) => readOnlyQuery(database, args).rows
  }
}
