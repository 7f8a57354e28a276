import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine, type Engine } from '../contract/duckdb.ts'
import { planGraph } from '../plan.ts'
import { toQuery } from '../query.ts'
import { readRowSchema } from './json-schema.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

/** Rows of a source with a schema, by port; `untyped` as from a CSV file. */
const checked = async (rows: string, schema: unknown, untyped = false) => {
  const options: unknown[] = []
  const answer = await planGraph({
    graph: {
      parameters: {},
      nodes: [{ id: 's', kind: 'source', name: 's', spec: { dataSource: 'd', schema: { name: 'orders' } } }],
      edges: []
    },
    parameters: {},
    binder: engine.binder,
    catalog: {
      find: async (name, told) => {
        options.push(told)
        const described = await engine.binder.describe(rows, [])
        if (!described.ok) throw new Error(described.message)
        return { dataSourceId: 'd', name, columns: described.columns, rows: null, untyped }
      },
      findSchema: async () => (schema === undefined ? undefined : { version: 1, schema })
    }
  })
  const { plan, problems } = answer
  if (plan === undefined) return { problems, options, out: [], rejected: [] }
  engine.rows(`CREATE OR REPLACE TEMP TABLE "s.rows" AS ${rows}`)
  const of = (port: string) => engine.rows(toQuery(plan, `s.${port}`, new Set()))
  return { problems, options, out: of('out'), rejected: of('rejected') }
}

/** One row a value of the column `v`, and the reason why it is rejected: null where it is not. */
const reasons = async (values: string, property: Record<string, unknown>, untyped = false) => {
  const { out, rejected } = await checked(
    `SELECT * FROM (VALUES ${values}) AS t(row, v)`,
    { properties: { v: property } },
    untyped
  )
  const all = [...out.map((row) => ({ ...row, _reason: null })), ...rejected]
  return all
    .toSorted((a, b) => Number('row' in a && a.row) - Number('row' in b && b.row))
    .map((row) => row['_reason'])
}

describe('a schema on a source', () => {
  it('lets rows through that hold, in the types it names, and rejects the others as they were read', async () => {
    const { out, rejected } = await checked(
      `SELECT * FROM (VALUES ('1', '2024-02-29', 'x'), ('one', '2024-02-30', 'y'), (NULL, NULL, 'z')) AS t(n, day, t)`,
      {
        type: 'object',
        properties: {
          n: { type: 'integer' },
          day: { type: 'string', format: 'date' },
          t: { type: 'string' }
        },
        required: ['t']
      },
      true
    )
    expect(out.map(({ n, t }) => [n, t])).toEqual([
      [1n, 'x'],
      [null, 'z']
    ])
    expect(rejected).toEqual([
      {
        n: 'one',
        day: '2024-02-30',
        t: 'y',
        _reason: '"n" is not an integer; "day" is not a date (YYYY-MM-DD)'
      }
    ])
  })

  it('asks for what is required', async () => {
    const { rejected } = await checked(`SELECT NULL AS a, 1 AS b`, {
      required: ['a', 'c'],
      properties: { b: { type: 'integer' } }
    })
    expect(rejected.map(({ _reason }) => _reason)).toEqual([
      '"a" is required and empty; "c" is required, and there is no such column'
    ])
    const nullable = { required: ['a'], properties: { a: { type: ['string', 'null'] } } }
    expect((await checked('SELECT NULL::VARCHAR AS a', nullable)).out).toHaveLength(1)
  })

  it('refuses columns beyond its own where it says so', async () => {
    const { rejected } = await checked('SELECT 1 AS a, 2 AS b', {
      properties: { a: { type: 'integer' } },
      additionalProperties: false
    })
    expect(rejected[0]?.['_reason']).toBe('"b" is not in the schema')
  })

  it.each<[string, string, Record<string, unknown>, (string | null)[]]>([
    [
      'numbers by their bounds',
      '(1, 0), (2, 5), (3, 11)',
      { minimum: 1, exclusiveMaximum: 11 },
      ['"v" is less than 1', null, '"v" is not less than 11']
    ],
    ['whole numbers', '(1, 1.0::DOUBLE), (2, 1.5)', { type: 'integer' }, [null, '"v" is not an integer']],
    [
      'text by its length in characters',
      `(1, 'é'), (2, '漢字漢字'), (3, '')`,
      { minLength: 1, maxLength: 3 },
      [null, '"v" is longer than 3', '"v" is shorter than 1']
    ],
    [
      'text by a pattern anywhere in it',
      `(1, 'ab12'), (2, 'ab')`,
      { pattern: '[0-9]+' },
      [null, '"v" does not match [0-9]+']
    ],
    ['text among a list', `(1, 'a'), (2, 'c')`, { enum: ['a', 'b', 1] }, [null, '"v" is not "a", "b", 1']],
    ['numbers among a list', `(1, 1), (2, 3)`, { enum: ['a', 1] }, [null, '"v" is not "a", 1']],
    ['one value', `(1, true), (2, false)`, { const: true }, [null, '"v" is not true']],
    [
      'addresses',
      `(1, 'zoë@example.org'), (2, 'zoë@'), (3, 'a b@c.d')`,
      { format: 'email' },
      [null, '"v" is not of the format email', '"v" is not of the format email']
    ],
    [
      'links',
      `(1, 'https://example.org/a'), (2, 'example')`,
      { format: 'uri' },
      [null, '"v" is not of the format uri']
    ],
    [
      'moments',
      `(1, '2024-01-01T10:00:00Z'), (2, '2024-01-01')`,
      { type: 'string', format: 'date-time' },
      [null, '"v" is not a moment (YYYY-MM-DDTHH:MM:SS)']
    ],
    ['types that a file knows', `(1, 'x'), (2, NULL)`, { type: 'integer' }, ['"v" is not an integer', null]]
  ])('checks %s', async (_, values, property, expected) => {
    expect(await reasons(values, property)).toEqual(expected)
  })

  it('reads a column as text that it calls text, where its type was a guess', async () => {
    const { options } = await checked('SELECT 2134 AS zip', { properties: { zip: { type: 'string' } } }, true)
    expect(options).toEqual([{}, { types: { zip: 'text' } }])
  })

  it('keeps quotes in names, values and patterns out of the SQL', async () => {
    const evil = `'); DROP TABLE x; --"`
    expect(await reasons(`(1, 'a')`, { enum: [evil], pattern: evil.replaceAll(')', '') })).toHaveLength(1)
    const { rejected } = await checked('SELECT 1 AS a', {
      required: [evil],
      properties: { [evil]: { const: evil } }
    })
    expect(rejected[0]?.['_reason']).toContain('DROP TABLE')
  })

  it('is a problem where it is not in the catalog, or cannot be checked', async () => {
    expect((await checked('SELECT 1 AS a', undefined)).problems).toMatchObject([
      { path: 'nodes[0].spec.schema', message: 'There is no schema "orders" in the catalog.' }
    ])
    expect((await checked('SELECT 1 AS a', { properties: { a: { if: {} } } })).problems).toMatchObject([
      { message: 'The schema "orders" at properties.a.if: "if" cannot be checked here.' }
    ])
    expect(
      (await checked(`SELECT 'x' AS a`, { properties: { a: { pattern: '(?=x)' } } })).problems
    ).toMatchObject([{ path: 'nodes[0].spec.schema' }])
  })
})

it('keywords that are not supported are refused by their path', () => {
  expect(readRowSchema({ allOf: [], properties: { a: { items: {} } } })).toMatchObject({
    ok: false,
    problems: expect.arrayContaining([
      { path: '.allOf', message: '"allOf" cannot be checked here.' },
      { path: '.properties.a.items', message: '"items" cannot be checked here.' }
    ])
  })
})
