import {
  Binary,
  Bool,
  Float64,
  Int64,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
  type Vector
} from 'apache-arrow'
import type { Column } from '../../workflow/value-type.ts'
import { toJson, toText } from './value-text.ts'

/** One row's values, in the order of the columns. */
export type Cells = readonly unknown[]

const isNone = (value: unknown): value is null | undefined => value === null || value === undefined

/** Values that Arrow holds natively; the engine casts everything else from its text. */
const toVector = ({ type }: Column, values: readonly unknown[]): Vector => {
  const present = values.filter((value) => !isNone(value))
  const all = (kind: string): boolean => present.every((value) => typeof value === kind)
  if (
    type === 'integer' &&
    present.every((value) => typeof value === 'bigint' || Number.isSafeInteger(value))
  ) {
    return vectorFromArray(
      values.map((value) => (isNone(value) ? null : BigInt(toText(value)))),
      new Int64()
    )
  }
  if (type === 'number' && all('number'))
    return vectorFromArray(
      values.map((value) => value ?? null),
      new Float64()
    )
  if (type === 'boolean' && all('boolean'))
    return vectorFromArray(
      values.map((value) => value ?? null),
      new Bool()
    )
  if (type === 'bytes' && present.every((value) => value instanceof Uint8Array))
    return vectorFromArray(
      values.map((value) => value ?? null),
      new Binary()
    )
  const text = type === 'json' ? toJson : toText
  return vectorFromArray(
    values.map((value) => (isNone(value) ? null : text(value))),
    new Utf8()
  )
}

/** Rows as one complete Arrow IPC stream. */
export const toArrowPiece = (columns: readonly Column[], rows: readonly Cells[]): Uint8Array => {
  const vectors = columns.map((column, at): [string, Vector] => [
    column.name,
    toVector(
      column,
      rows.map((cells) => cells[at])
    )
  ])
  return tableToIPC(new Table(Object.fromEntries(vectors)), 'stream')
}

/** Rows and characters that a piece holds at most: about 16 MB. */
const PIECE_ROWS = 100_000
const PIECE_CHARACTERS = 8 * 1024 * 1024

const sizeOf = (value: unknown): number => (typeof value === 'string' ? value.length : 8)

/** Rows cut into Arrow pieces; no rows are one piece, so that the columns are known. */
export const arrowPiecesOf = async function* (
  columns: readonly Column[],
  rows: AsyncIterable<Cells> | Iterable<Cells>
): AsyncGenerator<Uint8Array> {
  let held: Cells[] = []
  let characters = 0
  for await (const cells of rows) {
    held.push(cells)
    for (const value of cells) characters += sizeOf(value)
    if (held.length >= PIECE_ROWS || characters >= PIECE_CHARACTERS) {
      yield toArrowPiece(columns, held)
      held = []
      characters = 0
    }
  }
  if (held.length > 0) yield toArrowPiece(columns, held)
}
