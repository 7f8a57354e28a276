import { openMemoryDatabase } from '../sqlite/open-database.ts'
import { applyChanges } from '../sqlite/changesets.ts'
import { readOnlyQuery } from '../sqlite/read-only-query.ts'
import { quotedName } from '../table-names.ts'
import type { ReplicaTable } from './messages.ts'
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

/** The plain replica: SQLite in memory. References are the writer's to keep. */
export const openSqliteReplica = async (): Promise<ReplicaStore> => {
  const database = await openMemoryDatabase()
  database.script('PRAGMA foreign_keys = OFF')
  const tables = new Map<string, ReplicaTable>()
  return {
    create: (all) => {
      for (const table of all) {
        tables.set(table.name, table)
        for (const sql of table.sql) database.script(sql)
      }
    },
    copy: (name, rows) => {
      const table = tables.get(name)
      if (table !== undefined) database.run(copySql(table), [decoder.decode(rows)])
    },
    apply: (changeset, isExact) => applyChanges(database.sqlite3, database.handle, changeset, isExact),
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
