import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BLOCK_ROWS, type MarkColumn } from './row-block.ts'
import { createRowIdWriter, rowIdsAt } from './row-id-file.ts'

type Numbers = readonly (number | null)[]

const toColumn = (numbers: Numbers): MarkColumn => ({
  numbers: Uint32Array.from(numbers, (number) => number ?? 0),
  known: Uint8Array.from(numbers, (number) => (number === null ? 0 : 1))
})

/** The file of some marks, whose rows come in portions. */
const fileOf = (marks: readonly Numbers[], portions: readonly number[] = []): Uint8Array => {
  const rows = marks[0]?.length ?? 0
  const writer = createRowIdWriter(marks.length)
  const parts: Uint8Array[] = []
  let from = 0
  for (const portion of [...portions, rows]) {
    const to = Math.min(rows, from + portion)
    parts.push(
      ...writer.add(
        marks.map((numbers) => toColumn(numbers.slice(from, to))),
        to - from
      )
    )
    from = to
  }
  parts.push(...writer.end())
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

const rowOf = (file: Uint8Array, row: number) =>
  rowIdsAt(async (from, to) => file.slice(from, to), file.length, row)

const number = fc.oneof(
  fc.nat(10),
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff)
)
/** Marks as runs have them: numbers at random, and runs of them, with gaps. */
const numbers = (rows: number): fc.Arbitrary<Numbers> =>
  fc.oneof(
    fc.array(fc.option(number), { minLength: rows, maxLength: rows }),
    fc.array(number, { minLength: rows, maxLength: rows }),
    fc
      .record({
        first: fc.integer({ min: 0, max: 4e9 }),
        step: fc.integer({ min: 0, max: 30 }),
        every: fc.integer({ min: 1, max: 9 })
      })
      .map(({ first, step, every }) =>
        Array.from({ length: rows }, (_, row) => (row % every === 0 ? first + row * step : null))
      ),
    fc.constant(Array.from({ length: rows }, () => null))
  )

it('gives each row the marks that were written, whatever they are and however the rows came', async () => {
  const written = fc
    .record({
      rows: fc.oneof(fc.nat(40), fc.constantFrom(BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 9_000)),
      marks: fc.integer({ min: 1, max: 3 })
    })
    .chain(({ rows, marks }) => fc.array(numbers(rows), { minLength: marks, maxLength: marks }))
  await fc.assert(
    fc.asyncProperty(
      written,
      fc.array(fc.nat(5_000), { maxLength: 4 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
      async (marks, portions, asked) => {
        const file = fileOf(marks, portions)
        const rows = marks[0]?.length ?? 0
        const wanted =
          rows <= 40 ? Array.from({ length: rows }, (_, row) => row) : asked.map((each) => each % rows)
        for (const row of wanted) {
          // oxlint-disable-next-line no-await-in-loop -- one file
          expect(await rowOf(file, row)).toEqual(marks.map((mark) => mark[row]))
        }
        await expect(rowOf(file, rows)).rejects.toThrow('none of row')
      }
    ),
    { numRuns: 150 }
  )
})

it('keeps a million rows of sorted numbers in next to nothing, and numbers at random in the bits that they need', () => {
  const rows = 1_000_000
  const every = Array.from({ length: rows }, (_, row) => row)
  expect(fileOf([every]).length).toBeLessThan(rows / 250)
  const thinned = every.map((row) => row * 2 + (row % 3 === 0 ? 1 : 0))
  expect(fileOf([thinned]).length).toBeLessThan(rows * (2 / 8) * 1.1)
  const chosen = every.map((row) => (row * 7919) % 1000)
  expect(fileOf([chosen]).length).toBeLessThan(rows * (10 / 8) * 1.02)
})

it('says so where the bytes are of something else, or cut off', async () => {
  const file = fileOf([[1, 2, 3]])
  await expect(rowOf(file.slice(0, 10), 0)).rejects.toThrow('cut off')
  await expect(rowOf(new Uint8Array(64), 0)).rejects.toThrow('no row ids')
})
