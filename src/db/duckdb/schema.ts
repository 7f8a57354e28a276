import { FlowForgeError } from '../flowforge-error.ts'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS, type Migration } from '../migrations/migrations.ts'
import { openMemoryDatabase } from '../sqlite/open-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { quotedName } from '../table-names.ts'

/** A column as the schema has it; `type` is SQLite's. */
export type SchemaColumn = {
  readonly name: string
  readonly type: string
  readonly isRequired: boolean
  readonly defaultSql: string | null
}

export type ForeignKey = {
  readonly child: string
  readonly column: string
  readonly parent: string
  readonly parentColumn: string
}

/** Columns whose values may stand once among the rows that meet `where`. */
export type PartialKey = {
  readonly table: string
  readonly columns: readonly string[]
  readonly where: string
}

/** A view's statement is SQLite's; DuckDB understands it, or the database does not open. */
export type View = { readonly name: string; readonly sql: string }

export type SchemaTable = {
  readonly name: string
  readonly columns: readonly SchemaColumn[]
  readonly primaryKey: readonly string[]
  readonly uniqueKeys: readonly (readonly string[])[]
  readonly checks: readonly string[]
}

export type Schema = {
  readonly version: number
  readonly tables: readonly SchemaTable[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly partialKeys: readonly PartialKey[]
  /** In the order in which they were made. */
  readonly views: readonly View[]
  /** The rows of `schema_migrations`. */
  readonly applied: readonly Readonly<Record<string, unknown>>[]
}

/** What SQLite's triggers say; DuckDB has none, so each needs an answer in this folder. `events` is a view here. */
const ANSWERED_TRIGGERS: ReadonlySet<string> = new Set([
  'events_are_never_changed',
  'events_are_never_deleted',
  // Nothing is sealed here: see `not-kept.ts`. Callers cannot write the table.
  'log_seals_are_never_changed',
  'log_seals_are_never_deleted',
  // Nor is anything archived.
  'archived_events_were_in_the_log',
  'archived_events_are_never_changed',
  'archived_events_are_never_lost',
  'archive_segments_are_never_changed',
  'archive_segments_are_never_lost'
])

/** Where a parenthesis that opens at `from` closes; text in quotes does not count. */
const closingOf = (sql: string, from: number): number => {
  let depth = 0
  let quote: string | null = null
  for (let index = from; index < sql.length; index += 1) {
    const letter = sql.charAt(index)
    if (quote !== null) {
      if (letter === quote) quote = null
    } else if (letter === `'` || letter === '"') quote = letter
    else if (letter === '(') depth += 1
    else if (letter === ')' && (depth -= 1) === 0) return index
  }
  return sql.length
}

/** The conditions of a CREATE TABLE: the one thing that SQLite tells in its text alone. */
const checksIn = (sql: string): string[] => {
  const text = sql.replaceAll(/--[^\n]*/g, '')
  return [...text.matchAll(/\bCHECK\s*\(/gi)].map((found) => {
    const open = found.index + found[0].length - 1
    return text.slice(open + 1, closingOf(text, open))
  })
}

const textOf = (value: unknown): string => String(value)

const tableOf = (database: SqliteDatabase, name: string, sql: string): SchemaTable => {
  const info = database.allOnce('SELECT * FROM pragma_table_info(?) ORDER BY cid', [name])
  const keys = database.allOnce('SELECT * FROM pragma_index_list(?) WHERE "unique" = 1 AND partial = 0', [
    name
  ])
  const keyColumns = (index: unknown): string[] =>
    database
      .allOnce('SELECT name FROM pragma_index_info(?) ORDER BY seqno', [textOf(index)])
      .map((row) => textOf(row['name']))
  return {
    name,
    columns: info.map((row) => ({
      name: textOf(row['name']),
      type: textOf(row['type']),
      isRequired: Number(row['notnull']) === 1,
      defaultSql: row['dflt_value'] === null ? null : textOf(row['dflt_value'])
    })),
    primaryKey: info
      .filter((row) => Number(row['pk']) > 0)
      .toSorted((left, right) => Number(left['pk']) - Number(right['pk']))
      .map((row) => textOf(row['name'])),
    uniqueKeys: keys.filter((row) => row['origin'] !== 'pk').map((row) => keyColumns(row['name'])),
    checks: checksIn(sql)
  }
}

const partialKeysOf = (database: SqliteDatabase, table: string): PartialKey[] =>
  database
    .allOnce(
      `SELECT i.name, s.sql FROM pragma_index_list(?) i JOIN sqlite_schema s ON s.name = i.name
       WHERE i."unique" = 1 AND i.partial = 1`,
      [table]
    )
    .map((row) => ({
      table,
      columns: database
        .allOnce('SELECT name FROM pragma_index_info(?) ORDER BY seqno', [textOf(row['name'])])
        .map((column) => textOf(column['name'])),
      where: textOf(row['sql']).replace(/^[^]*?\bWHERE\b/i, '')
    }))

const foreignKeysOf = (database: SqliteDatabase, child: string): ForeignKey[] =>
  database.allOnce('SELECT * FROM pragma_foreign_key_list(?)', [child]).map((row) => ({
    child,
    column: textOf(row['from']),
    parent: textOf(row['table']),
    parentColumn: textOf(row['to'])
  }))

const refuseUnknown = (database: SqliteDatabase): void => {
  const [unknown] = database
    .allOnce(`SELECT name FROM sqlite_schema WHERE type = 'trigger'`)
    .filter(({ name }) => !ANSWERED_TRIGGERS.has(textOf(name)))
  if (unknown === undefined) return
  const message = `The DuckDB adapter has no answer to the trigger "${textOf(unknown['name'])}" of the schema.`
  throw new FlowForgeError('INTERNAL', message)
}

/**
 * Reads the one schema that there is: `schema.sql` and its migrations are SQLite's, so SQLite carries them out, in
 * memory, and is asked what came of it. Whatever a later migration does is then in both engines.
 */
export const readSchema = async (
  now: () => string,
  migrations: readonly Migration[] = MIGRATIONS
): Promise<Schema> => {
  const database = await openMemoryDatabase()
  try {
    const version = await migrate(database, migrations, now)
    refuseUnknown(database)
    const rows = database.allOnce(
      `SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`
    )
    const names = rows.map((row) => textOf(row['name']))
    return {
      version,
      tables: rows.map((row) => tableOf(database, textOf(row['name']), textOf(row['sql']))),
      foreignKeys: names.flatMap((name) => foreignKeysOf(database, name)),
      partialKeys: names.flatMap((name) => partialKeysOf(database, name)),
      views: database
        .allOnce(`SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY rowid`)
        .map((row) => ({ name: textOf(row['name']), sql: textOf(row['sql']) })),
      applied: database.allOnce('SELECT * FROM schema_migrations ORDER BY version')
    }
  } finally {
    database.close()
  }
}

const ENGINE_TYPES: Readonly<Record<string, string>> = {
  TEXT: 'VARCHAR',
  INTEGER: 'BIGINT',
  REAL: 'DOUBLE',
  BLOB: 'BLOB'
}

/** DuckDB's name of one of SQLite's strict types. */
export const engineTypeOf = ({ name, type }: SchemaColumn): string => {
  const engineType = ENGINE_TYPES[type.toUpperCase()]
  if (engineType !== undefined) return engineType
  throw new FlowForgeError(
    'INTERNAL',
    `The column "${name}" is of the type ${type}, which DuckDB has no name for.`
  )
}

const columnSql = (column: SchemaColumn): string =>
  [
    quotedName(column.name),
    engineTypeOf(column),
    ...(column.isRequired ? ['NOT NULL'] : []),
    ...(column.defaultSql === null ? [] : [`DEFAULT ${column.defaultSql}`])
  ].join(' ')

const listSql = (names: readonly string[]): string => names.map(quotedName).join(', ')

/** Where events stand; what everybody knows as `events` is a view of it, which cannot be written. */
export const STORED_EVENTS = 'stored.events'

/** SQLite's length of bytes has another name. */
const withBlobLengths = (check: string, columns: readonly SchemaColumn[]): string =>
  columns
    .filter(({ type }) => type === 'BLOB')
    .reduce((sql, { name }) => sql.replaceAll(`length(${name})`, `octet_length(${name})`), check)

/** A table with what DuckDB can check by itself: types, NOT NULL, keys and conditions. The rest is `constraints.ts`. */
const createSql = ({ name, columns, primaryKey, uniqueKeys, checks }: SchemaTable): string[] => {
  const stored = name === 'events' ? STORED_EVENTS : quotedName(name)
  const parts = [
    ...columns.map(columnSql),
    ...(primaryKey.length === 0 ? [] : [`PRIMARY KEY (${listSql(primaryKey)})`]),
    ...uniqueKeys.map((key) => `UNIQUE (${listSql(key)})`),
    ...checks.map((check) => `CHECK (${withBlobLengths(check, columns)})`)
  ]
  const table = `CREATE TABLE ${stored} (${parts.join(', ')})`
  return name === 'events' ? [table, `CREATE VIEW events AS SELECT * FROM ${STORED_EVENTS}`] : [table]
}

/** A statement that makes a table with another's columns and primary key, under another name. */
export const looseTableSql = ({ tables }: Schema, name: string, as: string): string => {
  const table = tables.find((each) => each.name === name)
  if (table === undefined)
    throw new FlowForgeError('NOT_FOUND', `There is no table "${name}".`, { table: name })
  const parts = [...table.columns.map(columnSql), `PRIMARY KEY (${listSql(table.primaryKey)})`]
  return `CREATE TABLE ${quotedName(as)} (${parts.join(', ')})`
}

/** The statements that make the schema's tables and views in DuckDB. */
export const schemaSql = ({ tables, views }: Schema): string[] => [
  'CREATE SCHEMA stored',
  ...tables.flatMap(createSql),
  ...views.map(({ sql }) => sql)
]
