import { createByteReader, varint } from './packing.ts'
import { BLOCK_ROWS, decodeBlock, encodeBlock, type MarkColumn } from './row-block.ts'

/** What the last bytes of a file are: rows, bytes of the directory before them, marks, and which form this is. */
const TAIL_BYTES = 16
const FORM = 0x3149_5246 // "FRI1"

const emptyBlock = (marks: number): readonly MarkColumn[] =>
  Array.from({ length: marks }, () => ({
    numbers: new Uint32Array(BLOCK_ROWS),
    known: new Uint8Array(BLOCK_ROWS)
  }))

/**
 * Writes the marks of rows as they come: blocks of rows, then how long each block is, then a tail of a fixed size, so
 * that one row's marks are found by three short readings.
 */
export const createRowIdWriter = (marks: number) => {
  const held = emptyBlock(marks)
  const lengths: number[] = []
  let filled = 0
  let rows = 0

  const block = (): Uint8Array => {
    const bytes = encodeBlock(held, filled)
    lengths.push(bytes.length)
    rows += filled
    filled = 0
    return bytes
  }

  return {
    /** The blocks that these rows complete. Where a row has no number, `known` is 0. */
    add: (columns: readonly MarkColumn[], count: number): readonly Uint8Array[] => {
      const blocks: Uint8Array[] = []
      for (let from = 0; from < count;) {
        const taken = Math.min(BLOCK_ROWS - filled, count - from)
        for (const [at, { numbers, known }] of held.entries()) {
          const column = columns[at]
          if (column === undefined) throw new Error(`Row ids of ${marks} marks came with ${columns.length}.`)
          numbers.set(column.numbers.subarray(from, from + taken), filled)
          known.set(column.known.subarray(from, from + taken), filled)
        }
        filled += taken
        from += taken
        if (filled === BLOCK_ROWS) blocks.push(block())
      }
      return blocks
    },
    end: (): readonly Uint8Array[] => {
      const last = filled === 0 ? [] : [block()]
      const directory = Uint8Array.from(lengths.flatMap(varint))
      const tail = new Uint8Array(TAIL_BYTES)
      const view = new DataView(tail.buffer)
      for (const [at, number] of [rows, directory.length, marks, FORM].entries())
        view.setUint32(at * 4, number, true)
      return [...last, directory, tail]
    }
  }
}

/** Reads some bytes of a file, `to` not included. */
export type ReadBytes = (from: number, to: number) => Promise<Uint8Array>

/**
 * A row's marks, in their order; null where there is none.
 * @throws Error where the file is none, or has no such row
 */
export const rowIdsAt = async (
  read: ReadBytes,
  size: number,
  row: number
): Promise<readonly (number | null)[]> => {
  if (size < TAIL_BYTES) throw new Error('The row ids are cut off.')
  const tail = await read(size - TAIL_BYTES, size)
  const view = new DataView(tail.buffer, tail.byteOffset, TAIL_BYTES)
  const [rows = 0, directoryBytes = 0, marks = 0, form] = [0, 4, 8, 12].map((at) => view.getUint32(at, true))
  const directoryAt = size - TAIL_BYTES - directoryBytes
  if (form !== FORM || directoryAt < 0) throw new Error('These are no row ids.')
  if (row >= rows) throw new Error(`There are row ids of ${rows} rows, and none of row ${row + 1}.`)
  const directory = createByteReader(await read(directoryAt, directoryAt + directoryBytes))
  const wanted = Math.floor(row / BLOCK_ROWS)
  let from = 0
  for (let block = 0; block < wanted; block += 1) from += directory.number()
  const bytes = await read(from, from + directory.number())
  const within = row - wanted * BLOCK_ROWS
  const held = Math.min(BLOCK_ROWS, rows - wanted * BLOCK_ROWS)
  return decodeBlock(createByteReader(bytes), marks, held).map(({ numbers, known }) =>
    known[within] === 1 ? (numbers[within] ?? 0) : null
  )
}
