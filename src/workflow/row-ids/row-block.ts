import { packBits, unpackBits, varint, widthOf, zigzag, type ByteReader } from './packing.ts'

/** Rows of a block: few enough to be read for one row, enough for a block's head not to count. */
export const BLOCK_ROWS = 4096

/** One mark of some rows: the number, and where there is one (1) or none (0). */
export type MarkColumn = { readonly numbers: Uint32Array; readonly known: Uint8Array }

/** How the numbers of a block stand there: none at all, each above the least, or each by its step from the one before. */
const FORMS = { none: 0, values: 1, steps: 2 } as const
/** Added to the form where some rows have no number: a bit a row says which do. */
const WITH_GAPS = 4
const MOST = 0xffff_ffff

/** The numbers that there are, one behind the other. */
const gather = ({ numbers, known }: MarkColumn, rows: number): { present: Uint32Array; count: number } => {
  const present = new Uint32Array(rows)
  let count = 0
  for (let row = 0; row < rows; row += 1) {
    if (known[row] !== 1) continue
    present[count] = numbers[row] ?? 0
    count += 1
  }
  return { present, count }
}

type Range = {
  readonly least: number
  readonly most: number
  readonly leastStep: number
  readonly mostStep: number
}

const rangeOf = (present: Uint32Array, count: number): Range => {
  let before = present[0] ?? 0
  let [least, most, leastStep, mostStep] = [before, before, Infinity, -Infinity]
  for (let index = 1; index < count; index += 1) {
    const value = present[index] ?? 0
    const step = value - before
    if (value < least) least = value
    if (value > most) most = value
    if (step < leastStep) leastStep = step
    if (step > mostStep) mostStep = step
    before = value
  }
  return count < 2 ? { least, most, leastStep: 0, mostStep: 0 } : { least, most, leastStep, mostStep }
}

const above = (present: Uint32Array, count: number, least: number): Uint32Array =>
  present.subarray(0, count).map((value) => value - least)

const stepsAbove = (present: Uint32Array, count: number, least: number): Uint32Array => {
  const steps = new Uint32Array(Math.max(0, count - 1))
  for (let index = 1; index < count; index += 1) {
    steps[index - 1] = (present[index] ?? 0) - (present[index - 1] ?? 0) - least
  }
  return steps
}

const joined = (parts: readonly ArrayLike<number>[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const encodeColumn = (column: MarkColumn, rows: number): Uint8Array => {
  const { present, count } = gather(column, rows)
  if (count === 0) return new Uint8Array([FORMS.none])
  const { least, most, leastStep, mostStep } = rangeOf(present, count)
  const byValue = widthOf(most - least)
  const isSteady = mostStep - leastStep <= MOST
  const bySteps = isSteady ? widthOf(mostStep - leastStep) : 32
  const gaps = count < rows ? WITH_GAPS : 0
  const bitmap = count < rows ? packBits(Uint32Array.from(column.known.subarray(0, rows)), rows, 1) : []
  if (isSteady && bySteps < byValue) {
    const head = [FORMS.steps + gaps, ...varint(present[0] ?? 0), ...varint(zigzag(leastStep)), bySteps]
    return joined([head, bitmap, packBits(stepsAbove(present, count, leastStep), count - 1, bySteps)])
  }
  const head = [FORMS.values + gaps, ...varint(least), byValue]
  return joined([head, bitmap, packBits(above(present, count, least), count, byValue)])
}

/** The marks of up to `BLOCK_ROWS` rows as bytes; a run of row numbers takes the same few, however long it is. */
export const encodeBlock = (marks: readonly MarkColumn[], rows: number): Uint8Array =>
  joined(marks.map((column) => encodeColumn(column, rows)))

const packedBytes = (count: number, width: number): number => Math.ceil((count * width) / 8)

const decodeColumn = (reader: ByteReader, rows: number): MarkColumn => {
  const numbers = new Uint32Array(rows)
  const form = reader.number()
  if (form === FORMS.none) return { numbers, known: new Uint8Array(rows) }
  const isBySteps = (form & ~WITH_GAPS) === FORMS.steps
  if (!isBySteps && (form & ~WITH_GAPS) !== FORMS.values)
    throw new Error(`Row ids of the form ${form} are not known.`)
  const first = reader.number()
  const leastStep = isBySteps ? reader.signed() : 0
  const width = reader.number()
  const hasGaps = form >= WITH_GAPS
  const known = hasGaps
    ? Uint8Array.from(unpackBits(reader.take(packedBytes(rows, 1)), rows, 1))
    : new Uint8Array(rows).fill(1)
  const count = known.reduce((sum, is) => sum + is, 0)
  const packed = isBySteps ? count - 1 : count
  const values = unpackBits(reader.take(packedBytes(packed, width)), packed, width)
  let value = first
  let index = 0
  for (let row = 0; row < rows; row += 1) {
    if (known[row] !== 1) continue
    if (!isBySteps) value = first + (values[index] ?? 0)
    else if (index > 0) value += leastStep + (values[index - 1] ?? 0)
    numbers[row] = value
    index += 1
  }
  return { numbers, known }
}

/** What `encodeBlock` made. @throws Error where the bytes are of something else */
export const decodeBlock = (reader: ByteReader, marks: number, rows: number): readonly MarkColumn[] => {
  const columns = Array.from({ length: marks }, () => decodeColumn(reader, rows))
  if (!reader.isAtEnd()) throw new Error('The row ids go on beyond their end.')
  return columns
}
