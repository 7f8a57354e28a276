import type { ParameterDefinition } from './graph.ts'
import type { Column, ValueType } from './value-type.ts'

/** A name as SQL says it, whatever it holds. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`

export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`

export const nameList = (names: readonly string[]): string => names.map(quoteName).join(', ')

/** The engine knows no difference between `A` and `a` in names. */
export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

export const findColumn = (columns: readonly Column[], name: string): Column | undefined =>
  columns.find((column) => sameName(column.name, name))

/** A beginning that no column's name has, for names that a query gives itself. */
export const freePrefix = (columns: readonly Column[], wanted: string): string =>
  columns.some(({ name }) => name.toLowerCase().startsWith(wanted))
    ? freePrefix(columns, `${wanted}_`)
    : wanted

/**
 * An expression that fails for some rows, as a struct that is NULL for these alone: its `v` is the value, which may be
 * NULL itself.
 */
export const triedSql = (sql: string): string => `TRY(struct_pack("v" := ${sql}))`

/** The value of what was tried. */
export const valueOfTried = (name: string): string => `struct_extract(${quoteName(name)}, 'v')`

/** What a value becomes when it is cast. A decimal keeps 28 digits before and 10 after the point; JSON is kept as its text. */
export const ENGINE_TYPES: Readonly<Record<ValueType, string>> = {
  boolean: 'BOOLEAN',
  integer: 'BIGINT',
  number: 'DOUBLE',
  decimal: 'DECIMAL(38,10)',
  text: 'VARCHAR',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  json: 'VARCHAR',
  bytes: 'BLOB'
}

/** A parameter as expressions see it: a variable of the engine's session, never text. */
export const parameterSql = (name: string, { type }: ParameterDefinition): string =>
  `CAST(getvariable(${quoteText(name)}) AS ${ENGINE_TYPES[type]})`
