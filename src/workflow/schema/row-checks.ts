import { ENGINE_TYPES, findColumn, quoteName, quoteText, sameName } from '../sql-text.ts'
import type { Column, ValueType } from '../value-type.ts'
import { typesOf, type JsonType, type PropertySchema, type RowSchema, type Scalar } from './json-schema.ts'

/** What a row is checked with: conditions that are true where it breaks the schema, each with its reason. */
export type RowChecks = {
  readonly breaks: readonly { readonly when: string; readonly reason: string }[]
  /** Columns whose text becomes values of their type in the rows that hold. */
  readonly casts: readonly { readonly column: string; readonly type: ValueType }[]
}
type Break = RowChecks['breaks'][number]

const NAMES: Readonly<Record<JsonType, string>> = {
  string: 'text',
  integer: 'an integer',
  number: 'a number',
  boolean: 'true or false',
  null: 'empty',
  object: 'an object',
  array: 'a list'
}

/** What the values of a column are in JSON's words; numbers may be whole. */
const MEMBERS: Readonly<Record<ValueType, readonly JsonType[]>> = {
  boolean: ['boolean'],
  integer: ['integer', 'number'],
  number: ['number'],
  decimal: ['number'],
  text: ['string'],
  date: ['string'],
  time: ['string'],
  timestamp: ['string'],
  json: ['object', 'array'],
  bytes: ['string']
}

/** The type that text is read as, where a file has no types of its own; undefined where it stays text. */
const castOf = (property: PropertySchema): ValueType | undefined => {
  const types = typesOf(property).filter((type) => type !== 'null')
  const [only] = types
  if (types.length === 2 && types.includes('integer') && types.includes('number')) return 'number'
  if (types.length !== 1 || only === undefined) return undefined
  switch (only) {
    case 'integer':
      return 'integer'
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'string':
      if (property.format === 'date') return 'date'
      return property.format === 'date-time' ? 'timestamp' : undefined
    case 'object':
    case 'array':
      return undefined
  }
}

/** Must be so before it is cast: the engine's casts take more for a date or an integer than JSON Schema does. */
const TEXT_SHAPES: Partial<Record<ValueType, string>> = {
  integer: '^\\s*[-+]?[0-9]+\\s*$',
  boolean: '^\\s*(true|false|TRUE|FALSE|True|False)\\s*$',
  date: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  timestamp:
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?$'
}

const FORMAT_SHAPES = {
  email: '^[^@\\s]+@[^@\\s.]+(\\.[^@\\s.]+)+$',
  uri: '^[A-Za-z][A-Za-z0-9+.-]*:[^\\s]+$',
  uuid: '^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$',
  time: '^[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})?$'
} as const

const CASTED: Readonly<Record<string, string>> = {
  integer: 'is not an integer',
  number: 'is not a number',
  boolean: 'is not true or false',
  date: 'is not a date (YYYY-MM-DD)',
  timestamp: 'is not a moment (YYYY-MM-DDTHH:MM:SS)'
}

/** A value that is there, and of which `broken` is true. */
const where = (name: string, broken: string): string => `${quoteName(name)} IS NOT NULL AND ${broken}`

const matches = (sql: string, pattern: string): string => `regexp_matches(${sql}, ${quoteText(pattern)})`

const castBreak = (column: Column, type: ValueType): Break => {
  const text = quoteName(column.name)
  const shape = TEXT_SHAPES[type]
  const cast = `try_cast(${text} AS ${ENGINE_TYPES[type]})`
  const wrong = shape === undefined ? `${cast} IS NULL` : `(NOT ${matches(text, shape)} OR ${cast} IS NULL)`
  return { when: where(column.name, wrong), reason: `"${column.name}" ${CASTED[type] ?? 'does not fit'}` }
}

/** Values of a column whose type the file knows. */
const typeBreaks = (column: Column, property: PropertySchema): readonly Break[] => {
  const allowed = typesOf(property)
  if (allowed.length === 0) return []
  const members = MEMBERS[column.type]
  const reason = `"${column.name}" is not ${allowed.map((type) => NAMES[type]).join(' or ')}`
  const name = quoteName(column.name)
  if (column.type === 'json') {
    const starts = [...(allowed.includes('object') ? ['{'] : []), ...(allowed.includes('array') ? ['['] : [])]
    const fits = starts.map((sign) => `starts_with(CAST(${name} AS VARCHAR), '${sign}')`).join(' OR ')
    return [{ when: where(column.name, starts.length === 0 ? 'true' : `NOT (${fits})`), reason }]
  }
  if (members.some((type) => allowed.includes(type))) return []
  const whole = members.includes('number') && allowed.includes('integer')
  return [{ when: where(column.name, whole ? `${name} <> trunc(${name})` : 'true'), reason }]
}

const isTextual = (type: ValueType): boolean =>
  type === 'text' || type === 'date' || type === 'time' || type === 'timestamp'
const isNumeric = (type: ValueType): boolean => type === 'integer' || type === 'number' || type === 'decimal'

/** A value of the schema as SQL, where it can equal a value of this type at all. */
const scalarSql = (value: Scalar, type: ValueType): string | undefined => {
  if (typeof value === 'string') return isTextual(type) ? quoteText(value) : undefined
  if (typeof value === 'number')
    return isNumeric(type) ? `CAST(${quoteText(String(value))} AS DOUBLE)` : undefined
  if (typeof value === 'boolean') return type === 'boolean' ? String(value) : undefined
  return undefined
}

const among = (column: Column, typed: string, type: ValueType, values: readonly Scalar[]): Break => {
  const known = values.map((value) => scalarSql(value, type)).filter((sql) => sql !== undefined)
  const compared = isTextual(type) ? `CAST(${quoteName(column.name)} AS VARCHAR)` : typed
  const list = values.map((value) => JSON.stringify(value))
  const said = list.length > 8 ? `one of ${list.length} values` : list.join(', ')
  const wrong = known.length === 0 ? 'true' : `coalesce(${compared} NOT IN (${known.join(', ')}), true)`
  return { when: where(column.name, wrong), reason: `"${column.name}" is not ${said}` }
}

const numberBreaks = (column: Column, typed: string, property: PropertySchema): readonly Break[] => {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = property
  const bound = (limit: number | undefined, sign: string, words: string): readonly Break[] =>
    limit === undefined
      ? []
      : [
          {
            when: where(column.name, `${typed} ${sign} CAST(${quoteText(String(limit))} AS DOUBLE)`),
            reason: `"${column.name}" is ${words} ${limit}`
          }
        ]
  return [
    ...bound(minimum, '<', 'less than'),
    ...bound(maximum, '>', 'more than'),
    ...bound(exclusiveMinimum, '<=', 'not more than'),
    ...bound(exclusiveMaximum, '>=', 'not less than')
  ]
}

const textBreaks = (column: Column, property: PropertySchema): readonly Break[] => {
  const { pattern, minLength, maxLength, format } = property
  const text = quoteName(column.name)
  const shape =
    format === undefined || format === 'date' || format === 'date-time' ? undefined : FORMAT_SHAPES[format]
  const breaks: (readonly [string, string] | undefined)[] = [
    pattern === undefined ? undefined : [`NOT ${matches(text, pattern)}`, `does not match ${pattern}`],
    minLength === undefined ? undefined : [`length(${text}) < ${minLength}`, `is shorter than ${minLength}`],
    maxLength === undefined ? undefined : [`length(${text}) > ${maxLength}`, `is longer than ${maxLength}`],
    shape === undefined ? undefined : [`NOT ${matches(text, shape)}`, `is not of the format ${format}`]
  ]
  return breaks.flatMap((each) =>
    each === undefined ? [] : [{ when: where(column.name, each[0]), reason: `"${column.name}" ${each[1]}` }]
  )
}

const propertyChecks = (column: Column, property: PropertySchema, untyped: boolean): RowChecks => {
  const cast =
    column.type === 'text' && (untyped || castOf(property) === 'date' || castOf(property) === 'timestamp')
      ? castOf(property)
      : undefined
  const type = cast ?? column.type
  const typed =
    cast === undefined
      ? quoteName(column.name)
      : `try_cast(${quoteName(column.name)} AS ${ENGINE_TYPES[cast]})`
  const values = [
    ...(property.enum === undefined ? [] : [among(column, typed, type, property.enum)]),
    ...(property.const === undefined ? [] : [among(column, typed, type, [property.const])])
  ]
  return {
    breaks: [
      ...(cast === undefined ? typeBreaks(column, property) : [castBreak(column, cast)]),
      ...values,
      ...(isNumeric(type) ? numberBreaks(column, typed, property) : []),
      ...(type === 'text' ? textBreaks(column, property) : [])
    ],
    casts: cast === undefined ? [] : [{ column: column.name, type: cast }]
  }
}

const allowsNull = (property: PropertySchema | undefined): boolean =>
  property !== undefined && typesOf(property).includes('null')

/**
 * What a schema asks of rows with these columns. A missing value is a missing member: it breaks `required` alone, and
 * that not where null is among the types. With `untyped` rows come from a file whose types were guessed: text that can
 * be read as the type asked for is, as it is for dates in any file.
 */
export const rowChecks = (schema: RowSchema, columns: readonly Column[], untyped: boolean): RowChecks => {
  const { properties = {}, required = [], additionalProperties = true } = schema
  const entries = Object.entries(properties)
  const propertyOf = (name: string) => entries.find(([known]) => sameName(known, name))?.[1]
  const missing = required.flatMap((name): Break[] => {
    const column = findColumn(columns, name)
    if (column === undefined)
      return [{ when: 'true', reason: `"${name}" is required, and there is no such column` }]
    if (allowsNull(propertyOf(name))) return []
    return [{ when: `${quoteName(column.name)} IS NULL`, reason: `"${column.name}" is required and empty` }]
  })
  const others = additionalProperties
    ? []
    : columns
        .filter(({ name }) => propertyOf(name) === undefined)
        .map(({ name }) => ({
          when: `${quoteName(name)} IS NOT NULL`,
          reason: `"${name}" is not in the schema`
        }))
  const checked = entries.flatMap(([name, property]) => {
    const column = findColumn(columns, name)
    return column === undefined ? [] : [propertyChecks(column, property, untyped)]
  })
  return {
    breaks: [...missing, ...checked.flatMap(({ breaks }) => breaks), ...others],
    casts: checked.flatMap(({ casts }) => casts)
  }
}

/** Columns that a guess made something of, and the schema calls text: they are to be read as they are written. */
export const textColumns = (schema: RowSchema, columns: readonly Column[]): readonly string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const column = findColumn(columns, name)
    const types = typesOf(property).filter((type) => type !== 'null')
    if (column === undefined || types.length !== 1 || types[0] !== 'string' || column.type === 'text')
      return []
    return castOf(property) === column.type ? [] : [column.name]
  })

/** All reasons of a row in one text; NULL for a row that holds. */
export const reasonSql = ({ breaks }: RowChecks): string => {
  if (breaks.length === 0) return 'CAST(NULL AS VARCHAR)'
  const cases = breaks.map(({ when, reason }) => `CASE WHEN ${when} THEN ${quoteText(reason)} END`)
  return `nullif(concat_ws('; ', ${cases.join(', ')}), '')`
}
