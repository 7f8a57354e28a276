import type { SqlValue } from '@sqlite.org/sqlite-wasm'
import { openDuckDBDatabase } from '../duckdb/duckdb-database.ts'
import type { StartDuckDB } from '../duckdb/duckdb-instance.ts'
import { JSON_MACROS } from '../duckdb/json-functions.ts'
import { namesIn } from '../duckdb/statement-names.ts'
import { TIME_MACROS } from '../duckdb/time-functions.ts'
import { readOnlyQuery } from '../duckdb/read-only-query.ts'
import { engineTypeOf } from '../duckdb/schema.ts'
import { FlowForgeError, toFlowForgeError } from '../flowforge-error.ts'
import { readChanges, type Change } from '../sqlite/changesets.ts'
import { startSqlite } from '../sqlite/open-database.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'
import { quotedName } from '../table-names.ts'
import type { NewRows, ReplicaTable, ReplicaView } from './messages.ts'
import { countSql, type ReplicaStore } from './replica-store.ts'

const decoder = new TextDecoder()
/** How many rows share one INSERT. */
const INSERT_BATCH = 100

const createSql = ({ name, columns, primaryKey }: ReplicaTable): string => {
  const list = columns.map(
    (column) =>
      `${quotedName(column.name)} ${engineTypeOf({ ...column, isRequired: false, defaultSql: null })}`
  )
  return `CREATE TABLE ${quotedName(name)} (${[...list, `PRIMARY KEY (${primaryKey.map(quotedName).join(', ')})`].join(', ')})`
}

const toBytes = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16))

const toBound = (value: SqlValue | undefined): Bound => {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (value instanceof ArrayBuffer || value instanceof Int8Array) return new Uint8Array(value)
  return value
}

/**
 * The analytics replica: the same tables in DuckDB, without their conditions, which the writer keeps. SQLite is there
 * to read its changesets, which need no database.
 */
export const openDuckDBReplica = async (start: StartDuckDB): Promise<ReplicaStore> => {
  const [sqlite3, database] = await Promise.all([startSqlite(), openDuckDBDatabase(start)])
  for (const sql of [...JSON_MACROS, ...TIME_MACROS]) database.write(sql)
  const tables = new Map<string, ReplicaTable>()
  /** Rows of ordered tables that came as changes before they were copied. */
  const early = new Set<string>()
  const views: ReplicaView[] = []
  /** Views that DuckDB does not understand, and why: all but them can be asked. */
  const missing = new Map<string, string>()

  const tableOf = (name: string): ReplicaTable => {
    const table = tables.get(name)
    if (table !== undefined) return table
    throw new FlowForgeError('CORRUPT', `The replica has no table "${name}".`)
  }

  /** DuckDB keeps no order of rows that may replace others. */
  const howInto = ({ isOrdered }: ReplicaTable, isExact: boolean): 'INSERT' | 'INSERT OR REPLACE' =>
    isExact || isOrdered ? 'INSERT' : 'INSERT OR REPLACE'

  const insert = (
    { name, columns }: ReplicaTable,
    rows: readonly (readonly Bound[])[],
    how: 'INSERT' | 'INSERT OR REPLACE'
  ): void => {
    const line = `(${columns.map(() => '?').join(', ')})`
    for (let from = 0; from < rows.length; from += INSERT_BATCH) {
      const batch = rows.slice(from, from + INSERT_BATCH)
      const lines = batch.map(() => line).join(', ')
      database.write(`${how} INTO ${quotedName(name)} VALUES ${lines}`, batch.flat())
    }
  }

  const whereKey = ({ primaryKey }: ReplicaTable): string =>
    primaryKey.map((column) => `${quotedName(column)} = ?`).join(' AND ')
  const keyOf = (table: ReplicaTable, values: Change['before']): Bound[] =>
    table.primaryKey.map((key) => toBound(values[table.columns.findIndex(({ name }) => name === key)]))

  const nameOf = (table: ReplicaTable, values: Change['before']): string =>
    JSON.stringify([table.name, ...keyOf(table, values)])

  /** Answers with how many rows it found: one, or none. */
  const remove = (table: ReplicaTable, values: Change['before']): number =>
    database.write(
      `DELETE FROM ${quotedName(table.name)} WHERE ${whereKey(table)} RETURNING 1`,
      keyOf(table, values)
    ).length

  /** Answers with how many rows it was about: one, or none that it found. */
  const applyOne = (change: Change): number => {
    const table = tableOf(change.table)
    const { columns } = table
    const name = quotedName(table.name)
    if (change.op === 'delete') return remove(table, change.before)
    const changed = columns.flatMap((column, at) => (change.after[at] === undefined ? [] : [{ column, at }]))
    const set = changed.map(({ column }) => `${quotedName(column.name)} = ?`).join(', ')
    const values = changed.map(({ at }) => toBound(change.after[at]))
    return database.write(`UPDATE ${name} SET ${set} WHERE ${whereKey(table)} RETURNING 1`, [
      ...values,
      ...keyOf(table, change.before)
    ]).length
  }

  /** In the order in which they came, where that is told: it is the order in which DuckDB has them, too. */
  const inOrder = (
    table: ReplicaTable,
    rows: readonly (readonly Bound[])[],
    newRows: readonly NewRows[]
  ): readonly (readonly Bound[])[] => {
    const keys = newRows.find((each) => each.table === table.name)?.keys ?? []
    if (keys.length < 2) return rows
    const places = new Map(keys.map((key, place) => [JSON.stringify(key), place]))
    const placeOf = (row: readonly Bound[]): number => places.get(JSON.stringify(keyOf(table, row))) ?? -1
    return rows.toSorted((one, other) => placeOf(one) - placeOf(other))
  }

  const apply = (changeset: Uint8Array<ArrayBuffer>, isExact: boolean, newRows: readonly NewRows[]): void => {
    const inserted = new Map<string, Bound[][]>()
    const others: Change[] = []
    readChanges(sqlite3, changeset, (change) => {
      if (change.op !== 'insert') others.push(change)
      else {
        const rows = inserted.get(change.table) ?? []
        rows.push(change.after.map(toBound))
        inserted.set(change.table, rows)
      }
    })
    for (const change of others) {
      if (applyOne(change) === 1 || !isExact) continue
      const message = `A change of "${change.table}" does not fit the replica: the two have come apart.`
      throw new FlowForgeError('CORRUPT', message)
    }
    for (const [name, rows] of inserted) {
      const table = tableOf(name)
      if (table.isOrdered && !isExact) for (const row of rows) early.add(nameOf(table, row))
      insert(table, inOrder(table, rows, newRows), howInto(table, isExact))
    }
  }

  const createView = (view: ReplicaView): void => {
    try {
      database.write(view.sql)
      views.push(view)
    } catch (thrown) {
      missing.set(view.name.toLowerCase(), toFlowForgeError(thrown).message)
    }
  }

  const expectView = (sql: string): void => {
    if (missing.size === 0) return
    const { words } = namesIn(database.bindings, sql)
    const [view, why] = [...missing].find(([name]) => words.has(name)) ?? []
    if (view === undefined) return
    const message = `The analytics replica has no view "${view}": DuckDB does not understand it. Ask without \`replica\`, or with the replica "plain".`
    throw new FlowForgeError('NOT_ALLOWED', message, { view, why })
  }

  return {
    create: (all, seen) => {
      for (const table of all) {
        tables.set(table.name, table)
        database.write(createSql(table))
      }
      for (const view of seen) createView(view)
    },
    copy: (name, sent) => {
      const table = tableOf(name)
      const rows = (JSON.parse(decoder.decode(sent)) as (string | number | null)[][]).map((row) =>
        row.map((value, at) =>
          typeof value === 'string' && table.columns[at]?.type === 'BLOB' ? toBytes(value) : value
        )
      )
      // A row that is replaced keeps its place: one that came as a change would stand before those that came before it.
      for (const row of rows) if (early.delete(nameOf(table, row))) remove(table, row)
      insert(table, rows, howInto(table, false))
    },
    apply: (changeset, isExact, newRows) => {
      database.run('BEGIN IMMEDIATE')
      try {
        apply(changeset, isExact, newRows)
        database.run('COMMIT')
      } catch (thrown) {
        database.run('ROLLBACK')
        throw thrown
      }
    },
    position: () =>
      Number(database.all('SELECT coalesce(max(position), 0) AS position FROM events')[0]?.['position']),
    counts: () =>
      Object.fromEntries(
        [...tables.values()].map((table) => [
          table.name,
          String(database.all(countSql(table, 'strlen'))[0]?.['counted'])
        ])
      ),
    read: (args) => {
      expectView(args.sql)
      return readOnlyQuery(database, { tables: [...tables.keys()], views }, args).rows
    }
  }
}
