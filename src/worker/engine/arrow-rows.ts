import { DataType, TimeUnit, type Schema, type Vector } from 'apache-arrow'
import type { Row } from '../../db/ports.ts'
import type { Column } from '../../workflow/value-type.ts'

/** A value as a `Page` holds it. */
export type CellValue = null | boolean | number | bigint | string | Uint8Array
/** Reads one value of a column; never called for NULL. */
type Reader = (raw: unknown) => CellValue

const pad = (value: number | bigint, digits: number): string => String(value).padStart(digits, '0')

const toBigInt = (raw: unknown): bigint => {
  if (typeof raw === 'bigint') return raw
  if (typeof raw === 'number' && Number.isInteger(raw)) return BigInt(raw)
  if (typeof raw === 'string') return BigInt(raw)
  throw new Error(`An integer was expected in the engine's answer, not ${typeof raw}.`)
}

/** A number where it is exact, else a bigint. */
const toInteger = (raw: unknown): number | bigint => {
  const value = toBigInt(raw)
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value
}

/** 128 bits in four words, the lowest first, in two's complement. */
const wordsToBigInt = (words: Uint32Array): bigint =>
  BigInt.asIntN(
    128,
    words.reduceRight((value, word) => (value << 32n) | BigInt(word), 0n)
  )

/** Every digit of `unscaled / 10^scale`, and as many behind the point as the type has. */
export const decimalText = (unscaled: bigint, scale: number): string => {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  if (scale === 0) return sign + digits
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const DAY_MS = 86_400_000

/** What a Date holds; the engine's calendar goes on, to its infinities. */
const MOST_DAYS = 100_000_000
const INFINITE_DAYS = 2_147_483_647
const ERA_DAYS = 146_097

/** Every 400 years the calendar is the same: such a day is looked up in an era that a Date knows. */
const farDateText = (days: number): string => {
  if (Math.abs(days) >= INFINITE_DAYS) return days > 0 ? 'infinity' : '-infinity'
  const eras = Math.floor(days / ERA_DAYS)
  const near = new Date((days - eras * ERA_DAYS) * DAY_MS)
  const year = near.getUTCFullYear() + 400 * eras
  return `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}${near.toISOString().slice(4, 10)}`
}

/** `YYYY-MM-DD`; years beyond 9999 or before 0 with a sign and six digits, as ISO 8601 has them. */
export const dateText = (daysSince1970: number): string => {
  if (Math.abs(daysSince1970) > MOST_DAYS) return farDateText(daysSince1970)
  const text = new Date(daysSince1970 * DAY_MS).toISOString()
  return text.slice(0, text.indexOf('T'))
}

/** Digits of a second's fraction, in groups of three, at least `least` groups. */
const fractionText = (nanoseconds: bigint, least: 0 | 3): string => {
  const digits = pad(nanoseconds, 9)
    .replace(/(000)+$/, '')
    .padEnd(least, '0')
  return digits === '' ? '' : `.${digits}`
}

const clockText = (nanosecondsOfDay: bigint): string => {
  const seconds = Number(nanosecondsOfDay / 1_000_000_000n)
  return `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
}

/** `HH:MM:SS`, and microseconds where there are any. */
export const timeText = (microseconds: bigint): string => {
  const nanoseconds = microseconds * 1_000n
  const rest = microseconds % 1_000_000n
  return clockText(nanoseconds) + (rest === 0n ? '' : `.${pad(rest, 6)}`)
}

const NANOSECONDS: readonly bigint[] = [1_000_000_000n, 1_000_000n, 1_000n, 1n]
const DAY_NS = 86_400_000_000_000n
const INFINITE_TIME = 9_223_372_036_854_775_807n

/** `YYYY-MM-DDTHH:MM:SS.sss`, and micro- or nanoseconds where there are any. */
export const timestampText = (value: bigint, unit: number): string => {
  if (value >= INFINITE_TIME || value <= -INFINITE_TIME) return value > 0n ? 'infinity' : '-infinity'
  const nanoseconds = value * (NANOSECONDS[unit] ?? 1n)
  const ofDay = ((nanoseconds % DAY_NS) + DAY_NS) % DAY_NS
  const days = Number((nanoseconds - ofDay) / DAY_NS)
  return `${dateText(days)}T${clockText(ofDay)}${fractionText(ofDay % 1_000_000_000n, 3)}`
}

/** JSON text of a value inside a list or a struct; numbers keep every digit. */
const jsonText = (value: CellValue): string => {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return JSON.stringify([...value])
  if (typeof value === 'number' && !Number.isFinite(value)) return JSON.stringify(String(value))
  return JSON.stringify(value)
}

type Fields = { readonly name: string; readonly type: DataType }[]

const isVector = (raw: unknown): raw is { get(index: number): unknown; readonly length: number } =>
  typeof raw === 'object' && raw !== null && 'get' in raw && 'length' in raw && typeof raw.get === 'function'

const isRecord = (raw: unknown): raw is Record<string, unknown> => typeof raw === 'object' && raw !== null

/** The library's maps are proxies that answer "no" to `in`. */
const isPairs = (raw: unknown): raw is Iterable<readonly [unknown, unknown]> =>
  isRecord(raw) && typeof Reflect.get(raw, Symbol.iterator) === 'function'

/** The JSON text of a nested value. */
const nestedText = (raw: unknown, type: DataType): string => {
  if (raw === null || raw === undefined) return 'null'
  if (DataType.isList(type) || DataType.isFixedSizeList(type)) {
    if (!isVector(raw)) return 'null'
    const item = type.children[0]?.type
    if (item === undefined) return '[]'
    const items = Array.from({ length: raw.length }, (_, index) => nestedText(raw.get(index), item))
    return `[${items.join(',')}]`
  }
  if (DataType.isStruct(type) && isRecord(raw)) {
    const fields: Fields = type.children
    const members = fields.map(
      (field) => `${JSON.stringify(field.name)}:${nestedText(raw[field.name], field.type)}`
    )
    return `{${members.join(',')}}`
  }
  if (DataType.isMap(type)) {
    if (!isPairs(raw)) return 'null'
    const [key, value] = type.children[0]?.type.children ?? []
    const members = Array.from(raw, ([k, v]) => {
      const name = key === undefined ? k : readerOf(key.type)(k)
      return `${JSON.stringify(String(name))}:${value === undefined ? 'null' : nestedText(v, value.type)}`
    })
    return `{${members.join(',')}}`
  }
  const text = jsonText(readerOf(type)(raw))
  // Exact decimals inside are numbers, not texts.
  return DataType.isDecimal(type) ? text.slice(1, -1) : text
}

const asIs: Reader = (raw) => {
  if (typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean') return raw
  if (typeof raw === 'bigint' || raw instanceof Uint8Array) return raw
  throw new Error(`The engine's answer holds a value of an unknown kind (${typeof raw}).`)
}

const readerOf = (type: DataType): Reader => {
  if (DataType.isInt(type)) return toInteger
  if (DataType.isDecimal(type)) {
    return (raw) => (raw instanceof Uint32Array ? decimalText(wordsToBigInt(raw), type.scale) : asIs(raw))
  }
  if (DataType.isDate(type)) return (raw) => dateText(Math.floor(Number(raw) / DAY_MS))
  if (DataType.isTime(type)) return (raw) => timeText(toBigInt(raw))
  if (DataType.isTimestamp(type)) {
    // Inside lists and structs the library hands out milliseconds with a fraction.
    return (raw) =>
      typeof raw === 'number'
        ? timestampText(BigInt(Math.round(raw * 1_000)), TimeUnit.MICROSECOND)
        : timestampText(toBigInt(raw), type.unit)
  }
  if (DataType.isBinary(type)) return (raw) => (raw instanceof Uint8Array ? raw.slice() : asIs(raw))
  if (
    DataType.isList(type) ||
    DataType.isFixedSizeList(type) ||
    DataType.isStruct(type) ||
    DataType.isMap(type)
  ) {
    return (raw) => nestedText(raw, type)
  }
  return asIs
}

/** Is there a value in a row? The library finds that out anew, at length, for each row. */
export const validity = (vector: Vector): ((index: number) => boolean) => {
  const data = vector.data[0]
  if (vector.data.length !== 1 || data === undefined) return (index) => vector.isValid(index)
  if (data.nullCount === 0) return () => true
  const { nullBitmap, offset } = data
  return (index) => {
    const at = offset + index
    return ((nullBitmap[at >> 3] ?? 0) & (1 << (at & 7))) !== 0
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Text, with a byte order mark at its beginning, which the library's own reader takes away; null where it lies otherwise. */
const textReader = (vector: Vector): ((index: number) => string | null) | null => {
  const data = vector.data[0]
  if (!DataType.isUtf8(vector.type) || vector.data.length !== 1 || data === undefined) return null
  const bytes: unknown = data.values
  const offsets: unknown = data.valueOffsets
  if (!(bytes instanceof Uint8Array) || !(offsets instanceof Int32Array)) return null
  const isValid = validity(vector)
  return (index) =>
    isValid(index) ? decoder.decode(bytes.subarray(offsets[index] ?? 0, offsets[index + 1] ?? 0)) : null
}

/**
 * Values of types that lie in one array of numbers are read there: quicker, and the library would round timestamps to
 * a double.
 */
const rawReader = (vector: Vector): ((index: number) => unknown) => {
  const text = textReader(vector)
  if (text !== null) return text
  const { type } = vector
  const plain =
    DataType.isInt(type) || DataType.isFloat(type) || DataType.isTime(type) || DataType.isTimestamp(type)
  const values: unknown = vector.data[0]?.values
  if (!plain || vector.data.length !== 1 || !isNumbers(values)) return (index) => vector.get(index)
  const isValid = validity(vector)
  return (index) => (isValid(index) ? values[index] : null)
}

const isNumbers = (values: unknown): values is { readonly [index: number]: number | bigint } =>
  ArrayBuffer.isView(values) && !(values instanceof DataView)

/** Reads values of one column of a record batch by row. */
export type CellReader = (index: number) => CellValue

/** How a column's values are read; `column` tells 128-bit integers, which travel as text, from text. */
export const cellReader = (vector: Vector, column: Column): CellReader => {
  const read = column.type === 'integer' ? toInteger : readerOf(vector.type)
  const raw = rawReader(vector)
  return (index) => {
    const value = raw(index)
    return value === null || value === undefined ? null : read(value)
  }
}

type Batch = { readonly schema: Schema; readonly numRows: number; getChildAt(index: number): Vector | null }

/** The values of one column of a record batch. */
export const columnVector = (batch: Batch, column: Column, at: number): Vector => {
  const vector = batch.getChildAt(at)
  if (vector === null) throw new Error(`Column "${column.name}" is missing in the stored rows.`)
  return vector
}

/** Readers for a record batch's columns, in the order of `columns`. */
export const cellReaders = (batch: Batch, columns: readonly Column[]): CellReader[] =>
  columns.map((column, at) => cellReader(columnVector(batch, column, at), column))

/** Rows `from` to `to` (not included) of a record batch, as a `Page` holds them. */
export const toRows = (batch: Batch, columns: readonly Column[], from: number, to: number): Row[] => {
  const readers = cellReaders(batch, columns)
  const rows: Row[] = []
  for (let index = from; index < to; index += 1) {
    const row: Row = {}
    for (const [at, column] of columns.entries()) row[column.name] = readers[at]?.(index) ?? null
    rows.push(row)
  }
  return rows
}
