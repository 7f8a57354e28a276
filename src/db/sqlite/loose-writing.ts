import type { BoundRow, Group, LooseWriter } from '../loose/loose-changes.ts'
import { quotedName } from '../table-names.ts'
import { onConflict, writeChange, type Table } from './row-writing.ts'
import type { Bound, SqliteDatabase } from './sqlite-database.ts'

/**
 * Half of a surrogate pair, which JSON carries into SQLite in another shape than a bound value. The pattern may also find
 * text that merely speaks of one; it is then bound value by value, to the same end.
 */
const HALF_A_PAIR = /\\ud[89a-f]/

const isPlain = (value: Bound): boolean =>
  value === null ||
  typeof value === 'string' ||
  (typeof value === 'number' &&
    Number.isFinite(value) &&
    (!Number.isInteger(value) || Number.isSafeInteger(value)))

/** One bind for all rows, each an array of its values; undefined where JSON would not carry them as they are. */
const toJson = ({ names, rows }: Group): string | undefined => {
  const values: Bound[][] = []
  for (const row of rows) {
    const line = names.map((name) => row[name] ?? null)
    if (!line.every(isPlain)) return undefined
    values.push(line)
  }
  const json = JSON.stringify(values)
  return HALF_A_PAIR.test(json) ? undefined : json
}

/** One bind a statement, whatever the number of rows. */
export const looseWriter = (database: SqliteDatabase, table: Table): LooseWriter => {
  const key = String(table.primaryKey[0])
  const target = quotedName(table.target)

  const updateFrom = (names: readonly string[], json: string): void => {
    const set = names.flatMap((name, index) =>
      name === key ? [] : [`${quotedName(name)} = value ->> ${index}`]
    )
    if (set.length === 0) return
    const sql = `UPDATE ${target} SET ${set.join(', ')} FROM json_each(?)
      WHERE ${target}.${quotedName(key)} = value ->> ${names.indexOf(key)}`
    database.run(sql, [json])
  }

  const updateEach = (rows: readonly BoundRow[]): void => {
    for (const row of rows) {
      const set = Object.fromEntries(Object.entries(row).filter(([name]) => name !== key))
      writeChange(database, table, { op: 'update', table: table.name, where: { [key]: row[key] }, set })
    }
  }

  return {
    upsert: (group) => {
      const json = toJson(group)
      if (json === undefined) {
        writeChange(database, table, { op: 'upsert', table: table.name, rows: group.rows })
        return
      }
      const { names } = group
      const columns = names.map(quotedName).join(', ')
      const values = names.map((_, index) => `value ->> ${index}`).join(', ')
      const all = `INSERT INTO ${target} (${columns}) SELECT ${values} FROM json_each(?)`
      if (names.length === table.columns.size) {
        database.run(`${all} WHERE true ORDER BY key ${onConflict(table, names)}`, [json])
        return
      }
      // SQLite checks NOT NULL before it sees the conflict, so rows of few columns meet the stored ones by an UPDATE.
      updateFrom(names, json)
      const stored = `SELECT 1 FROM ${target} t WHERE t.${quotedName(key)} = value ->> ${names.indexOf(key)}`
      database.run(`${all} WHERE NOT EXISTS (${stored}) ORDER BY key`, [json])
    },
    update: (group) => {
      const json = toJson(group)
      if (json === undefined) updateEach(group.rows)
      else updateFrom(group.names, json)
    },
    remove: (ids) => {
      const json = JSON.stringify(ids)
      if (!HALF_A_PAIR.test(json)) {
        database.run(`DELETE FROM ${target} WHERE ${quotedName(key)} IN (SELECT value FROM json_each(?))`, [
          json
        ])
        return
      }
      for (const id of ids) {
        writeChange(database, table, { op: 'remove', table: table.name, where: { [key]: id } })
      }
    },
    alone: (change) => writeChange(database, table, change)
  }
}
