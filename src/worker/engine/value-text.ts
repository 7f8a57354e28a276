import { isExactNumber } from './exact-number.ts'

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** JSON text of a parsed value; numbers keep every digit. */
export const toJson = (value: unknown): string => {
  if (typeof value === 'bigint') return value.toString()
  if (Object.is(value, -0)) return '-0'
  if (isExactNumber(value)) return value.exactText
  if (Array.isArray(value)) return `[${value.map(toJson).join(',')}]`
  if (isRecord(value) && !(value instanceof Date)) {
    return `{${Object.entries(value)
      .map(([key, member]) => `${JSON.stringify(key)}:${toJson(member)}`)
      .join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

/** The text of a moment of a sheet, which has no zone; a day without its midnight. */
const dateText = (date: Date): string =>
  Number.isNaN(date.getTime())
    ? ''
    : date
        .toISOString()
        .replace(/T00:00:00\.000Z$/, '')
        .replace(/Z$/, '')

/** A value as text, from which the engine casts it to its column's type. */
export const toText = (value: unknown): string => {
  if (typeof value === 'string') return value
  if (isExactNumber(value)) return value.exactText
  if (value instanceof Date) return dateText(value)
  return typeof value === 'object' ? toJson(value) : String(value)
}
