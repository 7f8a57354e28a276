import { RecordBatchReader } from 'apache-arrow'
import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine, type Engine } from '../../workflow/contract/duckdb.ts'
import { clearRemains, schemaOf } from './arrow-remains.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

/** A value of each form that the engine gives, in some rows; in the others nothing, by an outer join. */
const QUERY = `
  SELECT r.*, l.* FROM (SELECT range AS i FROM range(5000)) AS r LEFT JOIN (
    SELECT range * 3 AS j, 2::TINYINT AS a, range / 7 AS b, (range / 7)::DECIMAL(38, 10) AS c, range % 2 = 0 AS d,
      'text ' || range AS e, DATE '2026-11-24' AS f, TIME '12:00:00' AS g, TIMESTAMP '2026-11-24 12:00:00' AS h,
      [range, NULL, 3] AS k, {'x': range, 'y': if(range % 2 = 0, NULL, 5), 'z': 'q', 'w': {'v': 1.5::DOUBLE}} AS s,
      MAP {'a': range, 'b': NULL} AS m, 'bytes'::BLOB AS n, [range, 2]::BIGINT[2] AS o, 1.5::FLOAT AS p,
      12::HUGEINT AS q, [{'x': range, 'y': NULL::DOUBLE}] AS t, [['a', NULL], NULL] AS u, 7::USMALLINT AS v
    FROM range(1000)
  ) AS l ON r.i = l.j`

const join = (messages: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(messages.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const message of messages) {
    bytes.set(message, at)
    at += message.length
  }
  return bytes
}

const rowsOf = (messages: readonly Uint8Array[]): string =>
  JSON.stringify(
    [...RecordBatchReader.from(join(messages))].flatMap((batch) => batch.toArray()),
    (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)
  )

const cleared = (messages: readonly Uint8Array[]): readonly Uint8Array[] => {
  const [schema, ...batches] = messages.map((message) => message.slice())
  if (schema === undefined) throw new Error('no schema')
  for (const batch of batches) clearRemains(schemaOf(schema), batch)
  return [schema, ...batches]
}

describe('remains in record batches', () => {
  it('are cleared, so that equal rows are equal bytes, and no value is changed', () => {
    const first = engine.messages(QUERY)
    engine.rows(`SELECT sum(length(repeat('garbage', range))) FROM range(3000)`)
    const second = engine.messages(QUERY)
    expect(rowsOf(cleared(first))).toBe(rowsOf(first))
    expect(Buffer.compare(join(cleared(first)), join(cleared(second)))).toBe(0)
    // Otherwise nothing has been proved.
    expect(Buffer.compare(join(first), join(second))).not.toBe(0)
  })

  it('leave a batch without NULL and one without rows as they are', () => {
    for (const query of ['SELECT range AS a, range % 2 = 0 AS b FROM range(3001)', `${QUERY} WHERE false`]) {
      const messages = engine.messages(query)
      expect(rowsOf(cleared(messages))).toBe(rowsOf(messages))
    }
  })
})
