import type { BoundRow, LooseWriter } from '../loose/loose-changes.ts'
import { quotedName } from '../table-names.ts'
import type { DuckDBDatabase } from './duckdb-database.ts'
import { toLiteral } from './literals.ts'
import { writeChange, type EngineTable } from './row-writing.ts'

/** How many rows share a statement: its text is parsed anew each time. */
const BATCH = 500

const batchesOf = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / BATCH) }, (_, index) =>
    items.slice(index * BATCH, (index + 1) * BATCH)
  )

/** Some hundred rows a statement, as a list of values of the columns' types. */
export const looseWriter = (database: DuckDBDatabase, table: EngineTable): LooseWriter => {
  const target = quotedName(table.target)
  const key = String(table.primaryKey[0])
  const quotedKey = quotedName(key)

  const typed = (name: string, row: BoundRow): string =>
    `CAST(${toLiteral(row[name] ?? null)} AS ${String(table.types.get(name))})`

  const listOf = (names: readonly string[], rows: readonly BoundRow[]): string => {
    const lines = rows.map((row) => `(${names.map((name) => typed(name, row)).join(', ')})`)
    return `(VALUES ${lines.join(', ')}) given(${names.map(quotedName).join(', ')})`
  }

  const update = (names: readonly string[], rows: readonly BoundRow[]): void => {
    const set = names
      .filter((name) => name !== key)
      .map((name) => `${quotedName(name)} = given.${quotedName(name)}`)
    if (set.length === 0) return
    database.write(
      `UPDATE ${target} SET ${set.join(', ')} FROM ${listOf(names, rows)} WHERE ${target}.${quotedKey} = given.${quotedKey}`
    )
  }

  const insertMissing = (names: readonly string[], rows: readonly BoundRow[]): void => {
    database.write(
      `INSERT INTO ${target} (${names.map(quotedName).join(', ')}) SELECT * FROM ${listOf(names, rows)}
       WHERE NOT EXISTS (SELECT 1 FROM ${target} t WHERE t.${quotedKey} = given.${quotedKey})`
    )
  }

  return {
    upsert: ({ names, rows }) => {
      for (const batch of batchesOf(rows)) {
        update(names, batch)
        insertMissing(names, batch)
      }
    },
    update: ({ names, rows }) => {
      for (const batch of batchesOf(rows)) update(names, batch)
    },
    remove: (keys) => {
      for (const batch of batchesOf(keys)) {
        database.write(`DELETE FROM ${target} WHERE ${quotedKey} IN (${batch.map(toLiteral).join(', ')})`)
      }
    },
    alone: (change) => writeChange(database, table, change)
  }
}
