import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { SINK_FORMATS, type SinkFormat } from '../../workflow/nodes/sink.ts'
import { IN_MEMORY, openTestEngine, type TestEngine } from './contract/test-engine.ts'
import { writeQuery } from './contract/writing.ts'

let bed: TestEngine
beforeAll(async () => {
  bed = openTestEngine(await openDbContext(IN_MEMORY))
})
afterAll(() => bed.close())

type Case = {
  readonly name: string
  /** The value, in the engine's own words. */
  readonly sql: string
  readonly value: unknown
  /** What comes back where it is not the same value. */
  readonly back?: Partial<Record<SinkFormat, unknown>>
  /** What the run says of it. */
  readonly says?: Partial<Record<SinkFormat, string>>
  /** Formats that refuse it, and how. */
  readonly refused?: Partial<Record<SinkFormat, string>>
}

const LARGEST = 9223372036854775807n
const CASES: readonly Case[] = [
  {
    name: 'the largest 64-bit integer',
    sql: '9223372036854775807::BIGINT',
    value: LARGEST,
    back: { xlsx: String(LARGEST) },
    says: { xlsx: 'more digits' }
  },
  {
    name: 'the smallest 64-bit integer',
    sql: '(-9223372036854775808)::BIGINT',
    value: -9223372036854775808n,
    back: { xlsx: '-9223372036854775808' },
    says: { xlsx: 'more digits' }
  },
  { name: 'an integer', sql: '-42', value: -42 },
  {
    name: 'a character that has no place in XML',
    sql: `'a' || chr(1) || 'b'`,
    value: 'a\u0001b',
    back: { xlsx: 'ab' },
    says: { xlsx: 'control characters' }
  },
  {
    name: 'a decimal of 27 digits',
    sql: `CAST('123456789012345678901234.125' AS DECIMAL(38,3))`,
    value: '123456789012345678901234.125',
    says: { xlsx: 'more digits' }
  },
  {
    name: 'an integer of 128 bits',
    sql: '170141183460469231731687303715884105727::HUGEINT',
    value: 170141183460469231731687303715884105727n,
    back: {
      csv: '170141183460469231731687303715884105727',
      json: '170141183460469231731687303715884105727',
      ndjson: '170141183460469231731687303715884105727',
      xlsx: '170141183460469231731687303715884105727',
      parquet: '170141183460469231731687303715884105727',
      arrow: '170141183460469231731687303715884105727'
    },
    says: { parquet: 'more than 64 bits', arrow: 'more than 64 bits', xlsx: 'more digits' }
  },
  {
    name: 'a date before 1900',
    sql: `DATE '1066-10-14'`,
    value: '1066-10-14',
    says: { xlsx: 'before March 1900' }
  },
  { name: 'a date', sql: `DATE '2024-02-29'`, value: '2024-02-29' },
  {
    name: 'a moment with microseconds',
    sql: `TIMESTAMP '1883-11-18 12:03:58.123456'`,
    value: '1883-11-18T12:03:58.123456',
    says: { xlsx: 'before March 1900' }
  },
  { name: 'no value', sql: 'NULL::VARCHAR', value: null },
  { name: 'no number', sql: 'NULL::BIGINT', value: null },
  {
    name: 'NaN',
    sql: `'NaN'::DOUBLE`,
    value: NaN,
    back: { json: 'NaN', ndjson: 'NaN', xlsx: 'NaN' },
    says: { json: 'not finite', ndjson: 'not finite', xlsx: 'not finite' }
  },
  {
    name: 'an infinite number',
    sql: `'-Infinity'::DOUBLE`,
    value: -Infinity,
    back: { json: '-Infinity', ndjson: '-Infinity', xlsx: '-Infinity' },
    says: { json: 'not finite', ndjson: 'not finite', xlsx: 'not finite' }
  },
  { name: 'a fraction', sql: '0.1::DOUBLE', value: 0.1 },
  {
    name: 'emoji and more',
    sql: `'👩‍🚀 Zoë 漢字 e\u0301'`,
    value: '👩‍🚀 Zoë 漢字 e\u0301'
  },
  {
    name: 'lines and quotes',
    sql: `'a "b",' || chr(10) || chr(13) || chr(10) || ' c '`,
    value: 'a "b",\n\r\n c '
  },
  { name: 'empty text', sql: `''`, value: '', back: { xlsx: null }, says: { xlsx: 'empty text' } },
  { name: 'true', sql: 'true', value: true },
  {
    name: 'a formula',
    sql: `'=1+1'`,
    value: '=1+1',
    back: { csv: `'=1+1` },
    says: { csv: 'apostrophe' }
  },
  {
    name: 'a cell of 10 MB',
    sql: `repeat('0123456789abcdef', 655360)`,
    value: '0123456789abcdef'.repeat(655_360),
    refused: { xlsx: 'An Excel cell holds 32767 characters; "v" has 10485760 in row 1' }
  }
]

/** A second column keeps a row from being an empty line. */
const queryOf = ({ sql }: Case): string => `SELECT ${sql} AS v, 'x' AS mark FROM input`

describe.each(SINK_FORMATS)('%s', (format) => {
  test.each(CASES)('$name', async (value) => {
    const written = await writeQuery(bed, queryOf(value), format)
    const refused = value.refused?.[format]
    if (refused !== undefined) {
      expect(written.outcome).toMatchObject({ status: 'failed', nodeId: 'out' })
      expect(written.outcome.status === 'failed' && written.outcome.message).toContain(refused)
      return
    }
    expect(written.outcome).toEqual({ status: 'succeeded' })
    const source = await bed.prepare(`back.${format}`, written.bytes)
    const [row] = await bed.rows(source)
    const expected = value.back !== undefined && format in value.back ? value.back[format] : value.value
    // 10 MB are compared, not printed.
    const same = Object.is(row?.['v'], expected)
    expect(same ? expected : (row?.['v'] ?? null)).toEqual(expected)
    const says = value.says?.[format]
    if (says === undefined) expect(written.logs).toEqual([])
    else expect(written.logs.join()).toContain(says)
  })
})

test('rows without number keep their columns in Parquet and Arrow', async () => {
  for (const format of ['parquet', 'arrow'] as const) {
    const { bytes } = await writeQuery(
      bed,
      "SELECT 1::BIGINT AS a, DATE '2024-01-01' AS b FROM input WHERE n > 1",
      format
    )
    const source = await bed.prepare(`none.${format}`, bytes)
    expect(source.rows).toBe(0)
    expect(source.columns.map(({ name, type }) => `${name} ${type}`)).toEqual(['a integer', 'b date'])
  }
})

test('lists, structs and times keep their shape in Parquet and Arrow', async () => {
  const query = `SELECT [1, NULL, 3] AS l, {'a': 1, 'b': 'x'} AS s, TIME '01:02:03.000004' AS t, '\\xFF\\x00'::BLOB AS b, true AS y FROM input`
  for (const format of ['parquet', 'arrow'] as const) {
    const { bytes } = await writeQuery(bed, query, format)
    const source = await bed.prepare(`shapes.${format}`, bytes)
    expect(await bed.rows(source)).toEqual([
      { l: '[1,null,3]', s: '{"a":1,"b":"x"}', t: '01:02:03.000004', b: new Uint8Array([255, 0]), y: true }
    ])
  }
})

test('many rows go out and come back, a piece at a time', async () => {
  const query = "SELECT range AS i, 'row ' || range AS t FROM input, range(300000)"
  for (const format of ['parquet', 'arrow', 'ndjson'] as const) {
    const { bytes } = await writeQuery(bed, query, format)
    const source = await bed.prepare(`many.${format}`, bytes)
    expect(source.rows).toBe(300_000)
    const page = await bed.engine.page({ source, offset: 299_999, limit: 1 })
    expect(page.rows).toEqual([{ i: 299_999, t: 'row 299999' }])
  }
})
