import type { RebuildPort } from '../ports.ts'
import { applyLoosely } from '../loose/loose-changes.ts'
import { copyOf, quotedName } from '../table-names.ts'
import { looseWriter } from './loose-writing.ts'
import { tableOf, type Table } from './row-writing.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import type { Scope, Transactions } from './transactions.ts'

/** A statement that makes a table with another's columns and primary key, under another name. */
export const looseTable = (database: SqliteDatabase, { name, primaryKey }: Table, as: string): string => {
  const columns = database.all('SELECT name, type, "notnull", dflt_value FROM pragma_table_info(?)', [name])
  const lines = columns.map((column) => {
    const notNull = Number(column['notnull']) === 1 ? ' NOT NULL' : ''
    const otherwise = column['dflt_value'] === null ? '' : ` DEFAULT (${String(column['dflt_value'])})`
    return `${quotedName(String(column['name']))} ${String(column['type'])}${notNull}${otherwise}`
  })
  return `CREATE TABLE ${quotedName(as)} (${[...lines, `PRIMARY KEY (${primaryKey.map(quotedName).join(', ')})`].join(', ')}) STRICT`
}

/** Is the row of `one` that of `other`, in every column? */
const sameRow = ({ columns }: Table, one: string, other: string): string =>
  [...columns].map((name) => `${one}.${quotedName(name)} IS ${other}.${quotedName(name)}`).join(' AND ')

const sameKey = ({ primaryKey }: Table, one: string, other: string): string =>
  primaryKey.map((name) => `${one}.${quotedName(name)} = ${other}.${quotedName(name)}`).join(' AND ')

const IS_THERE = `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`

/** Copies of tables, beside them in the same file: `<table>__next`. */
export const createCopies = (
  database: SqliteDatabase,
  transactions: Transactions,
  scope: Scope | null
): RebuildPort => {
  const known = (tables: readonly string[]): Table[] => tables.map((name) => tableOf(database, name))
  const drop = ({ name }: Table): void => database.script(`DROP TABLE IF EXISTS ${quotedName(copyOf(name))}`)

  const swap = (tables: readonly Table[]): void => {
    database.run('PRAGMA defer_foreign_keys = ON')
    // All that goes goes first: what comes may need its place in a unique index.
    for (const table of tables) {
      const [old, next] = [quotedName(table.name), quotedName(copyOf(table.name))]
      database.allOnce(
        `DELETE FROM ${old} WHERE NOT EXISTS
         (SELECT 1 FROM ${next} n WHERE ${sameKey(table, 'n', old)} AND ${sameRow(table, 'n', old)})`
      )
    }
    for (const table of tables) {
      const [old, next] = [quotedName(table.name), quotedName(copyOf(table.name))]
      const columns = [...table.columns].map(quotedName).join(', ')
      database.allOnce(
        `INSERT INTO ${old} (${columns}) SELECT ${columns} FROM ${next} n WHERE NOT EXISTS
         (SELECT 1 FROM ${old} o WHERE ${sameKey(table, 'o', 'n')}) ORDER BY n.rowid`
      )
      drop(table)
    }
  }

  return {
    begin: ({ tables }) =>
      transactions.perform(scope, true, () => {
        for (const table of known(tables)) {
          drop(table)
          database.script(looseTable(database, table, copyOf(table.name)))
        }
      }),
    isBegun: ({ tables }) =>
      transactions.perform(scope, false, () =>
        known(tables).every(({ name }) => database.all(IS_THERE, [copyOf(name)]).length > 0)
      ),
    apply: ({ changes }) =>
      transactions.perform(scope, true, () =>
        applyLoosely(
          changes,
          (name) => ({ ...tableOf(database, name), target: copyOf(name) }),
          (table) => looseWriter(database, table)
        )
      ),
    swap: ({ tables }) => transactions.perform(scope, true, () => swap(known(tables))),
    abandon: ({ tables }) =>
      transactions.perform(scope, true, () => {
        for (const table of known(tables)) drop(table)
      })
  }
}
