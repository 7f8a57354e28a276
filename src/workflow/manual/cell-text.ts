import type { ManualType } from './manual-rows.ts'

/** The text of a cell in the form that is kept, or what is wrong with it, to be read after "row 3, column x". */
export type CellReading = { readonly text: string } | { readonly problem: string }

const INT64_MAX = 9_223_372_036_854_775_807n
const INT64_MIN = -INT64_MAX - 1n
const INTEGER = /^[+-]?\d+$/
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/
const DECIMAL = /^[+-]?0*(\d*)(?:\.(\d*?)0*)?$/
const DAY = /^\d{4}-\d{2}-\d{2}$/
const TIME = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$/
/** As the engine's decimals are: digits before and behind the point. */
const WHOLE_DIGITS = 28
const SCALE_DIGITS = 10

const isDay = (text: string): boolean => {
  if (!DAY.test(text)) return false
  const day = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
}

/** Most of what is typed with a comma is meant as a fraction or as thousands; which, nobody can tell. */
const commaHint = (text: string): string =>
  /\d,\d/.test(text) ? ' Write a point before the fraction, and nothing between thousands.' : ''

const readInteger = (text: string): CellReading => {
  if (!INTEGER.test(text)) return { problem: `is no whole number.${commaHint(text)}` }
  const value = BigInt(text.replace(/^\+/, ''))
  return value > INT64_MAX || value < INT64_MIN
    ? { problem: 'does not fit into 64 bits. Make the column a decimal or text.' }
    : { text: value.toString() }
}

const readNumber = (text: string): CellReading => {
  if (!NUMBER.test(text)) return { problem: `is no number.${commaHint(text)}` }
  return Number.isFinite(Number(text))
    ? { text: text.replace(/^\+/, '') }
    : { problem: 'is larger than a number can be. Make the column a decimal or text.' }
}

const readDecimal = (text: string): CellReading => {
  const digits = /\d/.test(text) ? DECIMAL.exec(text) : null
  if (digits === null) return { problem: `is no decimal number.${commaHint(text)}` }
  if ((digits[1] ?? '').length > WHOLE_DIGITS) {
    return { problem: `has more than ${WHOLE_DIGITS} digits before the point. Make the column text.` }
  }
  return (digits[2] ?? '').length > SCALE_DIGITS
    ? { problem: `has more than ${SCALE_DIGITS} digits behind the point. Make the column text.` }
    : { text: text.replace(/^\+/, '') }
}

const readTimestamp = (text: string): CellReading => {
  const [, day = '', time = '', zone] = /^(\S+?)[T ](.+?)(Z|[+-]\d{2}:?\d{2})?$/.exec(text) ?? []
  if (!isDay(day) || !TIME.test(time)) return { problem: 'is no timestamp such as 2024-05-31 18:30:00.' }
  return zone === undefined
    ? { text: `${day} ${time}` }
    : { problem: 'names a time zone, which is not kept. Write all timestamps in one zone, without it.' }
}

const readJson = (text: string): CellReading => {
  try {
    JSON.parse(text)
    return { text }
  } catch {
    return { problem: 'is no JSON. A text stands in double quotes there.' }
  }
}

const readTyped = (type: Exclude<ManualType, 'text'>, text: string): CellReading => {
  switch (type) {
    case 'boolean':
      return /^(true|false)$/i.test(text)
        ? { text: text.toLowerCase() }
        : { problem: 'is neither true nor false.' }
    case 'integer':
      return readInteger(text)
    case 'number':
      return readNumber(text)
    case 'decimal':
      return readDecimal(text)
    case 'date':
      return isDay(text) ? { text } : { problem: 'is no date of the calendar such as 2024-05-31.' }
    case 'time':
      return TIME.test(text) ? { text } : { problem: 'is no time of the day such as 18:30 or 18:30:00.' }
    case 'timestamp':
      return readTimestamp(text)
    case 'json':
      return readJson(text)
  }
}

/** Reads what was typed into a cell as its column's type. Text is kept as it is; around all else spaces are dropped. */
export const readCell = (type: ManualType, typed: string): CellReading => {
  if (/\p{Surrogate}/u.test(typed)) return { problem: 'holds half a character, which no file can keep.' }
  if (type === 'text') return { text: typed }
  const text = typed.trim()
  return text === ''
    ? { problem: 'is empty text, which only a column of text can hold.' }
    : readTyped(type, text)
}
