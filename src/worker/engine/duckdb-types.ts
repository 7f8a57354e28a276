import type { Column, ValueType } from '../../workflow/value-type.ts'
import { ENGINE_TYPES, quoteName } from '../../workflow/sql-text.ts'

const INTEGERS = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/

/** FlowForge's type of a column that DuckDB calls `engineType`. What has no type of its own is shown as JSON text. */
export const toValueType = (engineType: string): ValueType => {
  if (engineType === 'BOOLEAN') return 'boolean'
  if (INTEGERS.test(engineType)) return 'integer'
  if (engineType === 'DOUBLE' || engineType === 'FLOAT') return 'number'
  if (engineType.endsWith(']') || /^(STRUCT|MAP|UNION)\(/.test(engineType)) return 'json'
  if (engineType.startsWith('DECIMAL')) return 'decimal'
  if (engineType === 'DATE') return 'date'
  if (engineType === 'TIME') return 'time'
  if (/^TIMESTAMP(_S|_MS|_NS)?$/.test(engineType)) return 'timestamp'
  if (engineType === 'TIMESTAMP WITH TIME ZONE') return 'timestamp'
  if (engineType === 'BLOB') return 'bytes'
  return 'text'
}

/** A column with DuckDB's type; a column of nothing but NULL has no type of its own there and gets the smallest. */
export const toColumn = (name: string, engineType: string): Column => {
  const known = engineType === '"NULL"' || engineType === 'NULL' ? 'INTEGER' : engineType
  return { name, engineType: known, type: toValueType(known) }
}

/** A mark of a row, as it leaves the engine. */
export const typedMark = (name: string): Column => ({ name, type: 'integer', engineType: 'UINTEGER' })

/** A column of one of FlowForge's types. */
export const typedColumn = (name: string, type: ValueType): Column => ({
  name,
  type,
  engineType: ENGINE_TYPES[type]
})

/** Types that leave DuckDB as Arrow without losing anything; the others leave as text. */
const LEAVES_AS_IT_IS =
  /^(BOOLEAN|U?(TINY|SMALL|BIG)?INT(EGER)?|DOUBLE|FLOAT|VARCHAR|DECIMAL\(.*\)|DATE|TIME|TIMESTAMP(_S|_MS|_NS)?|BLOB|.*\]|STRUCT\(.*\)|MAP\(.*\))$/

const leaving = ({ name, engineType }: Column): string => {
  const quoted = quoteName(name)
  if (LEAVES_AS_IT_IS.test(engineType)) return quoted
  // Without the extension for time zones a zoned timestamp cannot become text; its microseconds since 1970 in UTC can.
  if (engineType === 'TIMESTAMP WITH TIME ZONE') return `make_timestamp(epoch_us(${quoted})) AS ${quoted}`
  return `CAST(${quoted} AS VARCHAR) AS ${quoted}`
}

/** A query whose answer Arrow can hold with every digit: 128-bit integers, intervals and the like leave as text. */
export const toArrowQuery = (query: string, columns: readonly Column[]): string =>
  `SELECT ${columns.map(leaving).join(', ')} FROM (${query}) AS "_leaving"`
