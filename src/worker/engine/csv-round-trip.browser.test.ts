import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY, listening, openTestEngine, type TestEngine } from './contract/test-engine.ts'
import { isFormula } from './csv-text.ts'

let bed: TestEngine
beforeAll(async () => {
  bed = openTestEngine(await openDbContext(IN_MEMORY))
})
afterAll(() => bed.close())

/** What CSV files break on, and whatever else a text can hold; a half of a surrogate pair is no text. */
const letter = fc.oneof(
  fc.constantFrom('"', ',', ';', '\t', '|', '\n', '\r', '\r\n', "'", '\\', '#', ' ', '\uFEFF', '\u00A0'),
  fc.constantFrom('=', '+', '-', '@', '0', '1', '.', 'e', 'NULL', 'true', '😀', 'é', '中'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 })
)
const cell = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant('') },
  { weight: 6, arbitrary: fc.array(letter, { maxLength: 6 }).map((letters) => letters.join('')) }
)
const NAMES = ['a', 'b', 'c', 'd'] as const
type Table = { readonly names: readonly string[]; readonly rows: readonly (readonly (string | null)[])[] }
/** One column alone cannot tell NULL from empty text: a line of nothing is no row. */
const table = fc
  .integer({ min: 2, max: 4 })
  .chain((width) =>
    fc
      .array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 })
      .map((rows): Table => ({ names: NAMES.slice(0, width), rows }))
  )

const recordsOf = ({ names, rows }: Table): Record<string, string | null>[] =>
  rows.map((row) => Object.fromEntries(names.map((name, at) => [name, row[at] ?? null])))
const asText = (names: readonly string[]) => ({
  types: Object.fromEntries(names.map((name) => [name, 'text']))
})

/** The rows as a sink writes them. */
const written = async (given: Table, formulas: 'keep' | 'escape'): Promise<Uint8Array<ArrayBuffer>> => {
  const source = await bed.prepare('t.json', JSON.stringify(recordsOf(given)), asText(given.names))
  const { plan, sources } = await bed.plan(
    {
      nodes: [
        { id: 'in', kind: 'source', name: 'in', spec: { dataSource: 't' } },
        { id: 'out', kind: 'sink', name: 'out', spec: { format: 'csv', fileName: 'out.csv', formulas } }
      ],
      edges: [['in', 'out']]
    },
    { t: source }
  )
  const { listener, artifacts } = listening()
  const signal = new AbortController().signal
  expect(await bed.engine.execute({ plan, sources, signal, listener })).toEqual({ status: 'succeeded' })
  const file = artifacts.find(({ kind }) => kind === 'file')
  const stored = await bed.context.blobStore.get({ key: file?.blobKey ?? '' })
  return stored?.data ?? new Uint8Array()
}

const readBack = async (
  content: string | Uint8Array<ArrayBuffer>,
  names: readonly string[],
  delimiter: string
): Promise<Record<string, unknown>[]> =>
  bed.rows(await bed.prepare('t.csv', content, { delimiter, header: true, ...asText(names) }))

const unescaped = (value: unknown): unknown =>
  typeof value === 'string' && value.startsWith("'") && isFormula(value) ? value.slice(1) : value

const RUNS = { numRuns: 60 }

test('whatever text a sink writes as CSV comes back, and NULL is not empty text', async () => {
  await fc.assert(
    fc.asyncProperty(table, async (given) => {
      const rows = await readBack(await written(given, 'keep'), given.names, ',')
      expect(rows).toEqual(recordsOf(given))
    }),
    RUNS
  )
}, 180_000)

test('text that was kept from being run as a formula comes back by taking one apostrophe away', async () => {
  await fc.assert(
    fc.asyncProperty(table, async (given) => {
      const rows = await readBack(await written(given, 'escape'), given.names, ',')
      for (const row of rows)
        for (const value of Object.values(row))
          if (typeof value === 'string') expect(value).not.toMatch(/^[=@\t\r]/)
      const back = rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, unescaped(value)]))
      )
      expect(back).toEqual(recordsOf(given))
    }),
    RUNS
  )
}, 180_000)

const dialect = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  bom: fc.boolean(),
  endsOpen: fc.boolean()
})

test('a file of another program is read with its separator, line ends and byte order mark', async () => {
  await fc.assert(
    fc.asyncProperty(table, dialect, async (given, { delimiter, lineEnd, bom, endsOpen }) => {
      const quoted = (value: string | null): string =>
        value === null ? '' : `"${value.replaceAll('"', '""')}"`
      const lines = [given.names.map(quoted), ...given.rows.map((row) => row.map(quoted))]
      const body = lines.map((line) => line.join(delimiter)).join(lineEnd) + (endsOpen ? '' : lineEnd)
      const rows = await readBack((bom ? '\uFEFF' : '') + body, given.names, delimiter)
      expect(rows).toEqual(recordsOf(given))
    }),
    RUNS
  )
}, 180_000)
