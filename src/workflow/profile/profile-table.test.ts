import { beforeAll, expect, it } from 'vitest'
import { startEngine, type Engine } from '../contract/duckdb.ts'
import { profileTable } from './profile-table.ts'
import { TableProfile } from './table-profile.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const profile = async (sql: string): Promise<TableProfile> => {
  engine.rows(`CREATE OR REPLACE TEMP TABLE profiled AS ${sql}`)
  const described = await engine.binder.describe('SELECT * FROM profiled', [])
  if (!described.ok) throw new Error(described.message)
  const total = Number(engine.rows('SELECT count(*)::DOUBLE AS n FROM profiled')[0]?.['n'])
  const found = await profileTable(async (query) => engine.rows(query), 'profiled', described.columns, {
    rows: total,
    total
  })
  // What is kept is what is read again.
  expect(TableProfile.parse(JSON.parse(JSON.stringify(found)))).toEqual(found)
  return found
}
const sum = (counts: readonly number[] | null | undefined): number =>
  (counts ?? []).reduce((total, count) => total + count, 0)

it('tells type, nulls, distinct values, ends, quantiles and a histogram of numbers', async () => {
  const { rows, columns, isExact } = await profile(
    `SELECT CASE WHEN i < 1000 THEN i END AS "n'""n" FROM range(1100) AS t(i)`
  )
  expect(rows).toBe(1100)
  expect(isExact).toBe(true)
  const [column] = columns
  expect(column).toMatchObject({
    name: `n'"n`,
    type: 'integer',
    nulls: 100,
    distinct: 1000,
    min: '0',
    max: '999'
  })
  expect(column?.quantiles).toEqual([49.95, 249.75, 499.5, 749.25, 949.05])
  expect(column?.histogram).toEqual(Array.from({ length: 20 }, () => 50))
})

it('estimates distinct values and quantiles of many rows, and says so; counts stay exact', async () => {
  const { columns, isExact } = await profile(
    `SELECT CASE WHEN i % 4 <> 0 THEN i END AS n, i % 7 AS few FROM range(200000) AS t(i)`
  )
  expect(isExact).toBe(false)
  expect(columns[0]).toMatchObject({ nulls: 50_000, min: '1', max: '199999' })
  expect(Math.abs((columns[0]?.distinct ?? 0) / 150_000 - 1)).toBeLessThan(0.15)
  expect(Math.abs((columns[0]?.quantiles?.[2] ?? 0) / 100_000 - 1)).toBeLessThan(0.02)
  expect(sum(columns[0]?.histogram)).toBe(150_000)
  expect(columns[1]?.distinct).toBe(7)
})

it('cuts long texts, and has no numbers for what is none', async () => {
  const { columns } = await profile(
    `SELECT repeat('ä', 5000) AS t, true AS b, NULL::VARCHAR AS none, TIME '12:00' AS at, '\\xAA'::BLOB AS bytes`
  )
  expect(columns[0]).toMatchObject({ min: 'ä'.repeat(100), quantiles: null, histogram: null })
  expect(columns[1]).toMatchObject({ type: 'boolean', min: 'true', max: 'true', histogram: null })
  expect(columns[2]).toMatchObject({ nulls: 1, distinct: 0, min: null, max: null })
  expect(columns[3]).toMatchObject({ min: '12:00:00', distinct: 1 })
  expect(columns[4]).toMatchObject({ min: '\\xAA', distinct: 1 })
})

it('takes NaN, infinity, dates, one value, the widest range and no rows as they are', async () => {
  const { columns } = await profile(
    `SELECT * FROM (VALUES ('NaN'::DOUBLE, DATE '1850-01-01', 7, -1.7e308::DOUBLE),
      ('inf'::DOUBLE, DATE '2026-11-24', 7, 1.7e308::DOUBLE)) AS t(d, day, same, wide)`
  )
  expect(columns[0]).toMatchObject({ quantiles: null, histogram: null, nulls: 0 })
  expect(columns[1]).toMatchObject({ min: '1850-01-01', max: '2026-11-24' })
  expect([columns[1]?.histogram?.at(0), columns[1]?.histogram?.at(-1)]).toEqual([1, 1])
  expect(columns[2]?.histogram?.[0]).toBe(2)
  expect([columns[3]?.histogram?.at(0), columns[3]?.histogram?.at(-1)]).toEqual([1, 1])
  const { columns: none } = await profile(`SELECT 1 AS a, 'x' AS b WHERE false`)
  expect(none[0]).toMatchObject({ nulls: 0, distinct: 0, min: null, quantiles: null, histogram: null })
})

it('counts nested values without comparing them, and zoned moments and 128-bit integers as numbers', async () => {
  const { columns } = await profile(
    `SELECT [i] AS l, {'a': i} AS s, MAP {'k': i} AS m, sum(i) AS big,
      CASE WHEN i = 1 THEN TIMESTAMPTZ '2026-01-01 00:00:00+00' END AS moment
     FROM range(3) AS t(i) GROUP BY i`
  )
  expect(columns[0]).toMatchObject({ distinct: 3, min: null, max: null })
  expect(columns[1]).toMatchObject({ distinct: 3, nulls: 0 })
  expect(columns[2]).toMatchObject({ distinct: 3, histogram: null })
  expect(columns[3]).toMatchObject({ type: 'integer', min: '0', max: '2' })
  expect(sum(columns[3]?.histogram)).toBe(3)
  expect(columns[4]).toMatchObject({ nulls: 2, min: '2026-01-01 00:00:00', distinct: 1 })
})

it('looks at more columns than go into one scan', async () => {
  const list = Array.from({ length: 120 }, (_, at) => `${at} AS c${at}`).join(', ')
  const { columns } = await profile(`SELECT ${list}`)
  expect(columns).toHaveLength(120)
  expect(columns.at(-1)).toMatchObject({ name: 'c119', min: '119', distinct: 1 })
})
