import { DataType, type Table, type Vector } from 'apache-arrow'
import type { Row } from '../ports.ts'

const toInteger = (value: bigint): number | bigint => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** A 128-bit integer from its four words, the lowest first. */
const fromWords = (words: Uint32Array): bigint => {
  const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
  return BigInt.asIntN(words.length * 32, unsigned)
}

/** How a column's values become those that the ports answer with, whichever engine is behind them. */
const readerOf = (type: DataType): ((value: unknown) => unknown) => {
  if (DataType.isInt(type)) return (value) => (typeof value === 'bigint' ? toInteger(value) : value)
  if (DataType.isBool(type)) return Number
  if (DataType.isDecimal(type)) {
    const { scale } = type
    return (value) => {
      if (!(value instanceof Uint32Array)) return value
      const whole = fromWords(value)
      return scale === 0 ? toInteger(whole) : Number(whole) / 10 ** scale
    }
  }
  if (DataType.isBinary(type)) return (value) => (value instanceof Uint8Array ? new Uint8Array(value) : value)
  if (DataType.isUtf8(type) || DataType.isFloat(type)) return (value) => value
  return String
}

/** An answer's rows: plain objects, integers as numbers up to 2^53, truth as 1 and 0. */
export const toRows = (table: Table): Row[] => {
  const columns = table.schema.fields.map(({ name, type }, index) => ({
    name,
    read: readerOf(type as DataType),
    vector: table.getChildAt(index) as Vector | null
  }))
  return Array.from({ length: table.numRows }, (_, at) => {
    const row: Row = {}
    for (const { name, read, vector } of columns) {
      const value: unknown = vector?.get(at) ?? null
      row[name] = value === null ? null : read(value)
    }
    return row
  })
}
