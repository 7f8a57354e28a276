import { beforeAll, expect, it } from 'vitest'
import { startEngine, type Engine } from '../contract/duckdb.ts'
import { GraphEdge, type Graph, type GraphNode, type NodeKind } from '../graph.ts'
import { planGraph } from '../plan.ts'
import { columnLineage } from './column-lineage.ts'
import { namedColumns } from './expression-columns.ts'
import type { Origin } from './influence.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const TABLES: Record<string, string> = {
  flights: `SELECT 'SEA' AS origin, 20 AS delay, DATE '2024-01-02' AS "the day"`,
  airports: `SELECT 'SEA' AS iata, 'WA' AS state, 1 AS delay`
}
const node = (id: string, kind: NodeKind, spec: Record<string, unknown>): GraphNode => ({
  id,
  kind,
  name: id,
  spec
})
const source = (id: string) => node(id, 'source', { dataSource: id })
const edge = (from: string, to: string, rest: Partial<GraphEdge> = {}) =>
  GraphEdge.parse({ from, to, ...rest })

const words = ({ relation, column, influence, isKnown }: Origin): string =>
  `${relation.replace('.out', '')}.${column} ${influence.subtype}${isKnown ? '' : '?'}`

/** Lineage of one relation, in words: by column, and `*` for what decides about its rows. */
const lineageOf = async (graph: Graph, relation: string): Promise<Record<string, string[]>> => {
  const catalog = {
    find: async (name: string) => {
      const described = await engine.binder.describe(TABLES[name] ?? '', [])
      return described.ok ? { dataSourceId: name, name, columns: described.columns, rows: null } : undefined
    }
  }
  const { plan, problems } = await planGraph({ graph, parameters: {}, catalog, binder: engine.binder })
  expect(problems).toEqual([])
  if (plan === undefined) throw new Error('There is no plan.')
  const traced = columnLineage(graph, plan).get(relation)
  return Object.fromEntries([
    ...(traced?.columns ?? []).map(({ name, from }) => [name, from.map(words)] as const),
    ['*', (traced?.rows ?? []).map(words)]
  ])
}

const lineageOfSteps = (steps: readonly Record<string, unknown>[]) =>
  lineageOf(
    {
      parameters: {},
      nodes: [source('flights'), node('t', 'transform', { steps })],
      edges: [edge('flights', 't')]
    },
    't.out'
  )

it('follows columns from the sources through joins, filters and groups to the result', async () => {
  const graph: Graph = {
    parameters: {},
    nodes: [
      source('flights'),
      source('airports'),
      node('late', 'transform', { steps: [{ op: 'filter', where: 'delay > 15' }] }),
      node('located', 'join', { type: 'inner', on: [{ left: 'origin', right: 'iata' }] }),
      node('by_state', 'transform', {
        steps: [
          { op: 'aggregate', groupBy: ['state'], columns: { flights: 'count(*)', mean: 'avg(delay)' } },
          { op: 'sort', by: [{ column: 'flights' }] }
        ]
      }),
      node('result', 'sink', { format: 'csv', fileName: 'r.csv' })
    ],
    edges: [
      edge('flights', 'late'),
      edge('late', 'located', { toPort: 'left' }),
      edge('airports', 'located', { toPort: 'right' }),
      edge('located', 'by_state'),
      edge('by_state', 'result')
    ]
  }
  expect(await lineageOf(graph, 'result.in')).toEqual({
    state: ['airports.state IDENTITY'],
    flights: [],
    mean: ['flights.delay AGGREGATION'],
    '*': ['flights.delay FILTER', 'flights.origin JOIN', 'airports.iata JOIN', 'airports.state GROUP_BY']
  })
})

it('tells values from what only decides which value is taken', async () => {
  expect(
    await lineageOfSteps([
      { op: 'derive', columns: { grade: `CASE WHEN delay > 15 THEN origin ELSE 'none' END` } },
      { op: 'rename', columns: { grade: 'mark' } },
      { op: 'drop', columns: ['origin', 'delay', 'the day'] }
    ])
  ).toEqual({ mark: ['flights.delay CONDITIONAL', 'flights.origin TRANSFORMATION'], '*': [] })
})

it('says "perhaps" of what a query gives', async () => {
  const found = await lineageOfSteps([{ op: 'sql', query: 'SELECT origin AS o FROM input' }])
  expect(found['o']).toEqual([
    'flights.origin TRANSFORMATION?',
    'flights.delay TRANSFORMATION?',
    'flights.the day TRANSFORMATION?'
  ])
  const counted = await lineageOfSteps([
    { op: 'sql', query: 'SELECT count(*) AS n FROM input WHERE delay > 3' }
  ])
  expect(counted['*']).toEqual(['flights.origin FILTER?', 'flights.delay FILTER?', 'flights.the day FILTER?'])
})

it('knows what rules set, and by which conditions', async () => {
  const graph: Graph = {
    parameters: {},
    nodes: [
      source('flights'),
      node('r', 'rule', {
        rules: [
          { name: 'bad', when: 'delay IS NULL', reject: 'no delay' },
          { name: 'late', when: `"the day" > DATE '2024-01-01'`, set: { note: 'origin' } }
        ]
      })
    ],
    edges: [edge('flights', 'r', { condition: `origin <> ''` })]
  }
  const out = await lineageOf(graph, 'r.out')
  expect(out['note']).toEqual([
    'flights.origin IDENTITY',
    'flights.delay CONDITIONAL',
    'flights.the day CONDITIONAL'
  ])
  expect(out['*']).toEqual(['flights.origin FILTER', 'flights.delay FILTER'])
  const rejected = await lineageOf(graph, 'r.rejected')
  expect(rejected['_reason']).toEqual(['flights.delay CONDITIONAL'])
})

it.each([
  ['path', { path: '/a/{{ Origin }}' }],
  ['header', { path: '/a', headers: { 'X-Of': '{{ORIGIN}}' } }],
  ['body', { path: '/a', body: { of: ['{{ origin}}'] } }]
])('finds what a request names in its %s, and that the answer decides about rows', async (_, request) => {
  const asking = (rest: Record<string, unknown>): Graph => ({
    parameters: {},
    nodes: [
      source('flights'),
      node('ask', 'http', {
        request: { endpoint: 'https://h.example', method: 'POST', ...request },
        per: 'row',
        response: { columns: { found: '/name' }, ...rest }
      })
    ],
    edges: [edge('flights', 'ask')]
  })
  expect(await lineageOf(asking({ explode: '/list' }), 'ask.out')).toMatchObject({
    found: ['flights.origin TRANSFORMATION'],
    delay: ['flights.delay IDENTITY'],
    '*': ['flights.origin FILTER']
  })
  expect((await lineageOf(asking({}), 'ask.out'))['*']).toEqual([])
  const rejected = await lineageOf(asking({}), 'ask.rejected')
  expect(rejected['_reason']).toEqual(['flights.origin TRANSFORMATION'])
})

it('knows what a transform rejects for what it comes from, unchanged, and which columns decide about it', async () => {
  const graph: Graph = {
    parameters: {},
    nodes: [
      source('flights'),
      node('t', 'transform', {
        steps: [
          { op: 'derive', columns: { first: 'origin[1]' } },
          { op: 'drop', columns: ['origin'] },
          { op: 'derive', columns: { n: 'CAST(first AS INTEGER)' } },
          { op: 'aggregate', columns: { days: 'count("the day")' } }
        ]
      }),
      node('bad', 'sink', { format: 'csv', fileName: 'bad.csv' })
    ],
    edges: [edge('flights', 't'), edge('t', 'bad', { fromPort: 'rejected' })]
  }
  expect(await lineageOf(graph, 'bad.in')).toEqual({
    origin: ['flights.origin IDENTITY'],
    delay: ['flights.delay IDENTITY'],
    'the day': ['flights.the day IDENTITY'],
    _reason: ['flights.origin CONDITIONAL'],
    '*': ['flights.origin FILTER']
  })
})

it.each([
  ['a + "b b"', ['a value', 'b b value']],
  ['sum(a) FILTER (WHERE "b b" > 1)', ['a value', 'b b filter']],
  ['string_agg(a ORDER BY "b b")', ['a value', 'b b sort']],
  ['if(a > 1, "b b", date)', ['a condition', 'b b value', 'date value']],
  [`CAST("b b" AS date) = date '2024-01-01'`, ['b b value']],
  ['a.date', ['a value']],
  ['date(a)', ['a value']],
  [`'a' || 'date'`, []]
])('%s names its columns', (text, expected) => {
  const found = namedColumns(text, ['a', 'b b', 'date'])
  expect(found.map(({ name, role }) => `${name} ${role}`)).toEqual(expected)
})
