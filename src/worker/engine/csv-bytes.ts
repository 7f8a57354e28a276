import { DataType, type Vector } from 'apache-arrow'
import type { Column } from '../../workflow/value-type.ts'
import { cellReader, validity } from './arrow-rows.ts'
import { csvCell, escapedFormula, isFormula } from './csv-text.ts'
import type { Losses } from './sink-losses.ts'

/** Bytes that grow. Writing a million rows value by value as text costs ten times as much as their bytes. */
export type ByteWriter = {
  bytes: Uint8Array<ArrayBuffer>
  length: number
}

/** Puts one row's value of a column. */
export type CellWriter = (row: number) => void

const COMMA = 0x2c
const QUOTE = 0x22
const MINUS = 0x2d
const ZERO = 0x30
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20

export const createByteWriter = (capacity: number): ByteWriter => ({
  bytes: new Uint8Array(capacity),
  length: 0
})

const reserve = (writer: ByteWriter, more: number): void => {
  if (writer.length + more <= writer.bytes.length) return
  const larger = new Uint8Array(Math.max(writer.bytes.length * 2, writer.length + more))
  larger.set(writer.bytes.subarray(0, writer.length))
  writer.bytes = larger
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Texts up to this length are mostly numbers and dates: quicker put sign by sign. */
const SHORT = 40
const BEYOND_ASCII = 0x80

export const putText = (writer: ByteWriter, text: string): void => {
  reserve(writer, text.length * 3)
  const start = writer.length
  if (text.length <= SHORT) {
    const { bytes } = writer
    let at = 0
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at)
      if (code >= BEYOND_ASCII) break
      bytes[start + at] = code
    }
    if (at === text.length) {
      writer.length = start + at
      return
    }
  }
  writer.length = start + encoder.encodeInto(text, writer.bytes.subarray(start)).written
}

export const putByte = (writer: ByteWriter, byte: number): void => {
  reserve(writer, 1)
  writer.bytes[writer.length] = byte
  writer.length += 1
}

const MOST_DIGITS = 20
const LARGEST_SMALL = 0x7fffffff

/** Digits of a whole number that a double holds. */
const putInteger = (writer: ByteWriter, value: number): void => {
  if (value > LARGEST_SMALL || value < -LARGEST_SMALL) {
    putText(writer, String(value))
    return
  }
  reserve(writer, MOST_DIGITS)
  const { bytes } = writer
  let rest = value | 0
  if (rest < 0) {
    bytes[writer.length] = MINUS
    writer.length += 1
    rest = -rest
  }
  let digits = 1
  for (let bound = 10; bound <= rest; bound *= 10) digits += 1
  for (let at = writer.length + digits - 1; at >= writer.length; at -= 1) {
    const tens = (rest / 10) | 0
    bytes[at] = ZERO + rest - tens * 10
    rest = tens
  }
  writer.length += digits
}

/** As `csvCell` quotes text, on its UTF-8 bytes. Whitespace beyond ASCII needs no quotes. */
const needsQuotes = (bytes: Uint8Array, from: number, to: number): boolean => {
  if (from === to || (bytes[from] ?? 0) <= SPACE || (bytes[to - 1] ?? 0) <= SPACE) return true
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at]
    if (byte === COMMA || byte === QUOTE || byte === LINE_FEED || byte === CARRIAGE_RETURN) return true
  }
  return false
}

const putQuoted = (writer: ByteWriter, bytes: Uint8Array, from: number, to: number): void => {
  reserve(writer, 2 * (to - from) + 2)
  const target = writer.bytes
  let { length } = writer
  target[length++] = QUOTE
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte === QUOTE) target[length++] = QUOTE
    target[length++] = byte
  }
  target[length++] = QUOTE
  writer.length = length
}

const putPlain = (writer: ByteWriter, bytes: Uint8Array, from: number, to: number): void => {
  reserve(writer, to - from)
  const target = writer.bytes
  const { length } = writer
  for (let at = from; at < to; at += 1) target[length + at - from] = bytes[at] ?? 0
  writer.length = length + to - from
}

/** An apostrophe, a tab, a carriage return, and the signs = + - @: only a text that begins with one can be a formula. */
const isFormulaStart = (byte: number | undefined): boolean =>
  byte === 0x27 ||
  byte === 0x09 ||
  byte === CARRIAGE_RETURN ||
  byte === 0x3d ||
  byte === 0x2b ||
  byte === MINUS ||
  byte === 0x40

const utf8Writer = (
  writer: ByteWriter,
  vector: Vector,
  none: string,
  putFormula: ((text: string) => void) | null
): CellWriter | null => {
  const data = vector.data[0]
  if (!DataType.isUtf8(vector.type) || vector.data.length !== 1 || data === undefined) return null
  const bytes: unknown = data.values
  const offsets: unknown = data.valueOffsets
  if (!(bytes instanceof Uint8Array) || !(offsets instanceof Int32Array)) return null
  const isValid = validity(vector)
  return (row) => {
    if (!isValid(row)) return putText(writer, none)
    const from = offsets[row] ?? 0
    const to = offsets[row + 1] ?? from
    if (putFormula !== null && to > from && isFormulaStart(bytes[from])) {
      return putFormula(decoder.decode(bytes.subarray(from, to)))
    }
    return needsQuotes(bytes, from, to)
      ? putQuoted(writer, bytes, from, to)
      : putPlain(writer, bytes, from, to)
  }
}

const HALF = 0x1_0000_0000
const SAFE_HIGH = 0x1f_ffff

/** 64-bit integers as their two halves: no bigint is made where a double holds the value. */
const int64Writer = (writer: ByteWriter, vector: Vector, none: string): CellWriter | null => {
  const values: unknown = vector.data[0]?.values
  if (!DataType.isInt(vector.type) || vector.data.length !== 1 || !(values instanceof BigInt64Array))
    return null
  const halves = new Int32Array(values.buffer, values.byteOffset, values.length * 2)
  const isValid = validity(vector)
  return (row) => {
    if (!isValid(row)) return putText(writer, none)
    const high = halves[2 * row + 1] ?? 0
    if (high > SAFE_HIGH || high < -SAFE_HIGH) return putText(writer, String(values[row]))
    return putInteger(writer, high * HALF + ((halves[2 * row] ?? 0) >>> 0))
  }
}

/** With `losses`, text that a spreadsheet would run is escaped and counted there; without, every text is written as it is. */
export type CsvCells = { readonly columns: number; readonly losses: Losses | null }

/** How a column's values are put as CSV cells. */
export const csvCellWriter = (
  writer: ByteWriter,
  vector: Vector,
  column: Column,
  { columns, losses }: CsvCells
): CellWriter => {
  const none = csvCell(null, columns)
  const putFormula = (text: string): void => {
    if (isFormula(text)) losses?.note('csv-formula', column.name)
    putText(writer, csvCell(escapedFormula(text), columns))
  }
  const escapes = losses !== null && column.type === 'text'
  const bytesOf =
    utf8Writer(writer, vector, none, escapes ? putFormula : null) ?? int64Writer(writer, vector, none)
  if (bytesOf !== null) return bytesOf
  const read = cellReader(vector, column)
  return (row) => {
    const value = read(row)
    if (escapes && typeof value === 'string') putFormula(value)
    else putText(writer, csvCell(value, columns))
  }
}

/** Ends a row. */
export const putLineFeed = (writer: ByteWriter): void => putByte(writer, LINE_FEED)
export const putComma = (writer: ByteWriter): void => putByte(writer, COMMA)
