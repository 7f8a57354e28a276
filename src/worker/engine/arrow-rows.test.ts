import { RecordBatchReader } from 'apache-arrow'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { createDuckDB, NODE_RUNTIME, VoidLogger, type DuckDBBindings } from '@duckdb/duckdb-wasm/blocking'
import type { Column } from '../../workflow/value-type.ts'
import { decimalText, timestampText, toRows } from './arrow-rows.ts'
import { toArrowQuery, toColumn } from './duckdb-types.ts'

let database: DuckDBBindings
let connection: number
beforeAll(async () => {
  const dist = dirname(createRequire(import.meta.url).resolve('@duckdb/duckdb-wasm/dist/duckdb-eh.wasm'))
  const bundle = (name: string) => ({ mainModule: join(dist, `duckdb-${name}.wasm`), mainWorker: '' })
  database = await createDuckDB({ mvp: bundle('mvp'), eh: bundle('eh') }, new VoidLogger(), NODE_RUNTIME)
  await database.instantiate(() => undefined)
  connection = database.connect().useUnsafe((_, id) => id)
  database.runQuery(connection, 'SET autoinstall_known_extensions = false')
  database.runQuery(connection, 'SET autoload_known_extensions = false')
}, 60_000)

const batchesOf = (query: string) => [...RecordBatchReader.from(database.runQuery(connection, query))]

const columnsOf = (query: string): Column[] =>
  batchesOf(`DESCRIBE ${query}`).flatMap((batch) =>
    Array.from({ length: batch.numRows }, (_, row) =>
      toColumn(String(batch.getChildAt(0)?.get(row)), String(batch.getChildAt(1)?.get(row)))
    )
  )

/** A query's rows, on the way that they take in the app. */
const rowsOf = (query: string) => {
  const columns = columnsOf(query)
  const batches = batchesOf(toArrowQuery(query, columns))
  return { columns, rows: batches.flatMap((batch) => toRows(batch, columns, 0, batch.numRows)) }
}

const one = (expression: string) => {
  const { columns, rows } = rowsOf(`SELECT ${expression} AS v`)
  return [columns[0]?.type, rows[0]?.['v']]
}

describe('a value of the engine', () => {
  test.each<[string, string, unknown]>([
    ['true', 'boolean', true],
    ['(-128)::TINYINT', 'integer', -128],
    ['9007199254740991', 'integer', 9007199254740991],
    ['9007199254740993', 'integer', 9007199254740993n],
    ['18446744073709551615::UBIGINT', 'integer', 18446744073709551615n],
    ['170141183460469231731687303715884105727::HUGEINT', 'integer', 170141183460469231731687303715884105727n],
    ['sum(5)', 'integer', 5],
    ['0.1::DOUBLE', 'number', 0.1],
    ["'NaN'::DOUBLE", 'number', Number.NaN],
    ['1.5::FLOAT', 'number', 1.5],
    ['-0.05::DECIMAL(4,2)', 'decimal', '-0.05'],
    [
      "'12345678901234567890123456789.01234568'::DECIMAL(38,8)",
      'decimal',
      '12345678901234567890123456789.01234568'
    ],
    ["'Zoë'", 'text', 'Zoë'],
    ["DATE '2024-02-29'", 'date', '2024-02-29'],
    ["DATE '1969-12-31'", 'date', '1969-12-31'],
    ["TIME '01:02:03'", 'time', '01:02:03'],
    ["TIME '01:02:03.000400'", 'time', '01:02:03.000400'],
    ["TIMESTAMP '2024-02-29 01:02:03'", 'timestamp', '2024-02-29T01:02:03.000'],
    ["TIMESTAMP '2024-02-29 01:02:03.123456'", 'timestamp', '2024-02-29T01:02:03.123456'],
    ["TIMESTAMP '1969-12-31 23:59:59.5'", 'timestamp', '1969-12-31T23:59:59.500'],
    ["'2024-02-29 01:02:03.123'::TIMESTAMP_MS", 'timestamp', '2024-02-29T01:02:03.123'],
    ["'2024-02-29 01:02:03'::TIMESTAMP_S", 'timestamp', '2024-02-29T01:02:03.000'],
    ["'2024-02-29 01:02:03.123456789'::TIMESTAMP_NS", 'timestamp', '2024-02-29T01:02:03.123456789'],
    ["'\\x00\\xFF'::BLOB", 'bytes', new Uint8Array([0, 255])],
    ['[1, NULL, 9007199254740993]', 'json', '[1,null,9007199254740993]'],
    [
      "{'a': 1.50::DECIMAL(4,2), 'b': ['x\"'], 'd': DATE '2024-01-02'}",
      'json',
      '{"a":1.50,"b":["x\\""],"d":"2024-01-02"}'
    ],
    ["MAP {'k': [TIMESTAMP '2024-01-02 03:04:05.000006']}", 'json', '{"k":["2024-01-02T03:04:05.000006"]}'],
    ['INTERVAL 1 DAY', 'text', '1 day'],
    ["'a'::ENUM('a', 'b')", 'text', 'a'],
    ["'6b2f6a5e-0000-4000-8000-000000000000'::UUID", 'text', '6b2f6a5e-0000-4000-8000-000000000000'],
    ["'0101'::BIT", 'text', '0101'],
    ['NULL', 'integer', null]
  ])('%s is %s', (expression, type, value) => {
    expect(one(expression)).toEqual([type, value])
  })

  test.each([
    'BOOLEAN',
    'BIGINT',
    'HUGEINT',
    'DOUBLE',
    'DECIMAL(18,3)',
    'VARCHAR',
    'DATE',
    'TIME',
    'TIMESTAMP',
    'BLOB',
    'INTEGER[]'
  ])('of type %s may be NULL beside others', (type) => {
    const { rows } = rowsOf(`SELECT CAST(NULL AS ${type}) AS v UNION ALL SELECT CAST(NULL AS ${type})`)
    expect(rows).toEqual([{ v: null }, { v: null }])
  })
})

test('texts of decimals and times beyond the usual', () => {
  expect(decimalText(-5n, 3)).toBe('-0.005')
  expect(decimalText(0n, 2)).toBe('0.00')
  expect(timestampText(-1n, 2)).toBe('1969-12-31T23:59:59.999999')
})
