import type { Column, ValueType } from '../../workflow/value-type.ts'
import { typedColumn } from './duckdb-types.ts'
import { decimalDigits, isExactNumber } from './exact-number.ts'

/** What has been seen in one column of a file without types of its own. */
export type ValueShape = {
  booleans: number
  texts: number
  nested: number
  /** Calendar days, as a sheet has them, and moments. */
  days: number
  moments: number
  integers: number
  fractions: number
  /** Integers beyond 64 bits, or beyond what a double holds, and fractions that a double would round. */
  hugeIntegers: number
  largeIntegers: number
  exactFractions: number
  exponents: number
  whole: number
  scale: number
  isoDates: number
  isoTimestamps: number
  zonedTimestamps: number
}

export const emptyShape = (): ValueShape => ({
  booleans: 0,
  texts: 0,
  nested: 0,
  days: 0,
  moments: 0,
  integers: 0,
  fractions: 0,
  hugeIntegers: 0,
  largeIntegers: 0,
  exactFractions: 0,
  exponents: 0,
  whole: 0,
  scale: 0,
  isoDates: 0,
  isoTimestamps: 0,
  zonedTimestamps: 0
})

const INT64_MAX = 9_223_372_036_854_775_807n
const INT64_MIN = -INT64_MAX - 1n
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const TIMESTAMP =
  /^(\d{4}-\d{2}-\d{2})[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?$/

const isDay = (text: string): boolean => {
  if (!DATE.test(text)) return false
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

const seeText = (shape: ValueShape, text: string): void => {
  shape.texts += 1
  if (shape.isoDates + 1 === shape.texts && isDay(text)) shape.isoDates += 1
  const timestamp = shape.isoTimestamps + 1 === shape.texts ? TIMESTAMP.exec(text) : null
  if (timestamp === null || !isDay(timestamp[1] ?? '')) return
  shape.isoTimestamps += 1
  if (timestamp[5] !== undefined) shape.zonedTimestamps += 1
}

const seeDigits = (shape: ValueShape, text: string): void => {
  const digits = decimalDigits(text)
  if (digits === null) shape.exponents += 1
  else {
    shape.whole = Math.max(shape.whole, digits.whole)
    shape.scale = Math.max(shape.scale, digits.scale)
  }
}

/** Takes one value into account; NULL and what is missing fit every type. */
export const see = (shape: ValueShape, value: unknown): void => {
  if (value === null || value === undefined) return
  if (typeof value === 'boolean') shape.booleans += 1
  else if (typeof value === 'string') seeText(shape, value)
  else if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) shape.integers += 1
    else shape.fractions += 1
    seeDigits(shape, String(value))
  } else if (typeof value === 'bigint') {
    shape.integers += 1
    shape.largeIntegers += 1
    if (value > INT64_MAX || value < INT64_MIN) shape.hugeIntegers += 1
    seeDigits(shape, String(value))
  } else if (isExactNumber(value)) {
    shape.fractions += 1
    shape.exactFractions += 1
    seeDigits(shape, value.exactText)
  } else if (value instanceof Date) {
    if (value.getTime() % 86_400_000 === 0) shape.days += 1
    else shape.moments += 1
  } else shape.nested += 1
}

const MOST_DIGITS = 38

/** Numbers that neither 64 bits nor a double hold: a decimal with room for all of them, or text. */
const exactColumn = (name: string, { exponents, whole, scale }: ValueShape): Column =>
  exponents === 0 && whole + scale <= MOST_DIGITS
    ? { name, type: 'decimal', engineType: `DECIMAL(${MOST_DIGITS},${scale})` }
    : typedColumn(name, 'text')

const textType = ({ texts, isoDates, isoTimestamps, zonedTimestamps }: ValueShape): ValueType => {
  if (isoDates === texts) return 'date'
  const sameZone = zonedTimestamps === 0 || zonedTimestamps === texts
  return isoTimestamps === texts && sameZone ? 'timestamp' : 'text'
}

/** The narrowest type that holds all that was seen. */
export const columnOf = (name: string, shape: ValueShape): Column => {
  const numbers = shape.integers + shape.fractions
  const dates = shape.days + shape.moments
  const kinds = [shape.booleans, shape.texts, shape.nested, numbers, dates].filter(
    (count) => count > 0
  ).length
  if (shape.nested > 0) return typedColumn(name, 'json')
  if (kinds !== 1) return typedColumn(name, 'text')
  if (shape.booleans > 0) return typedColumn(name, 'boolean')
  if (dates > 0) return typedColumn(name, shape.moments > 0 ? 'timestamp' : 'date')
  if (shape.texts > 0) return typedColumn(name, textType(shape))
  if (shape.fractions === 0)
    return shape.hugeIntegers > 0 ? exactColumn(name, shape) : typedColumn(name, 'integer')
  return shape.exactFractions > 0 || shape.largeIntegers > 0
    ? exactColumn(name, shape)
    : typedColumn(name, 'number')
}
