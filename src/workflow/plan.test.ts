import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine, type Engine } from './contract/duckdb.ts'
import { GraphEdge, type Graph, type GraphNode, type NodeKind, type ParameterValues } from './graph.ts'
import { planGraph } from './plan.ts'
import type { Plan } from './plan-types.ts'
import { toQuery } from './query.ts'

let engine: Engine

beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const TABLES: Record<string, string> = {
  flights: `SELECT * FROM (VALUES ('SEA', 20, DATE '2024-01-02'), ('SEA', 40, NULL), ('PDX', 5, NULL), ('XXX', 90, NULL)) AS t(origin, delay, "the day")`,
  airports: `SELECT * FROM (VALUES ('SEA', 'WA', 1), ('PDX', 'OR', 2)) AS t(iata, state, delay)`
}

const node = (id: string, kind: NodeKind, spec: Record<string, unknown>): GraphNode => ({
  id,
  kind,
  name: id,
  spec
})
const edge = (from: string, to: string, rest: Partial<GraphEdge> = {}): GraphEdge =>
  GraphEdge.parse({ from, to, ...rest })
const source = (id: string) => node(id, 'source', { dataSource: id })
const sink = node('result', 'sink', { format: 'csv', fileName: 'result.csv' })
const graphOf = (nodes: GraphNode[], edges: GraphEdge[], parameters: Graph['parameters'] = {}): Graph => ({
  parameters,
  nodes,
  edges
})

const catalog = {
  find: async (name: string) => {
    const sql = TABLES[name]
    if (sql === undefined) return undefined
    const described = await engine.binder.describe(sql, [])
    if (!described.ok) throw new Error(described.message)
    return { dataSourceId: `datasource:${name}`, name, columns: described.columns, rows: null }
  }
}

const answerOf = (graph: Graph, parameters: ParameterValues = {}, until?: string) =>
  planGraph({ graph, parameters, catalog, binder: engine.binder, until })

const planOf = async (graph: Graph, parameters: ParameterValues = {}, until?: string): Promise<Plan> => {
  const { plan, problems } = await answerOf(graph, parameters, until)
  expect(problems).toEqual([])
  if (plan === undefined) throw new Error('no plan')
  return plan
}

const rowsOf = (plan: Plan, relation: string, values: Record<string, string> = {}) => {
  for (const { id, source: scanned } of plan.relations) {
    const name = scanned?.dataSourceId.replace('datasource:', '') ?? ''
    if (scanned !== null) engine.rows(`CREATE OR REPLACE TEMP TABLE "${id}" AS ${TABLES[name] ?? ''}`)
  }
  for (const [name, sql] of Object.entries(values)) engine.rows(`SET VARIABLE ${name} = ${sql}`)
  return engine.rows(toQuery(plan, relation, new Set()))
}

/** Rows of the one node over flights. */
const through = async (kind: NodeKind, spec: Record<string, unknown>, port = 'out') => {
  const graph = graphOf([source('flights'), node('n', kind, spec)], [edge('flights', 'n')])
  return rowsOf(await planOf(graph), `n.${port}`)
}
const steps = (...list: Record<string, unknown>[]) => through('transform', { steps: list })

const problemsOf = async (graph: Graph) =>
  (await answerOf(graph)).problems.map(({ path, code, nodeId }) => [path, code, nodeId])

const delays = graphOf(
  [
    source('flights'),
    source('airports'),
    node('late', 'transform', { steps: [{ op: 'filter', where: 'delay >= $minDelay' }] }),
    node('located', 'join', { type: 'inner', on: [{ left: 'origin', right: 'iata' }] }),
    node('by_state', 'transform', {
      steps: [
        { op: 'aggregate', groupBy: ['state'], columns: { flights: 'count(*)', mean: 'avg(delay)' } },
        { op: 'sort', by: [{ column: 'flights', descending: true }] }
      ]
    }),
    sink
  ],
  [
    edge('flights', 'late'),
    edge('late', 'located', { toPort: 'left' }),
    edge('airports', 'located', { toPort: 'right' }),
    edge('located', 'by_state'),
    edge('by_state', 'result')
  ],
  { minDelay: { type: 'number' } }
)

describe('a planned graph', () => {
  it('runs as one query, its parameter bound and never part of the text', async () => {
    const plan = await planOf(delays, { minDelay: 4.5 })
    expect(plan.parameters).toEqual({ minDelay: 4.5 })
    expect(toQuery(plan, 'result.in', new Set())).not.toContain('4.5')
    expect(rowsOf(plan, 'result.in', { minDelay: '4.5' })).toEqual([
      { state: 'WA', flights: 2n, mean: 30 },
      { state: 'OR', flights: 1n, mean: 5 }
    ])
    expect(rowsOf(plan, 'result.in', { minDelay: '30' })).toEqual([{ state: 'WA', flights: 1n, mean: 40 }])
  })

  it('is the same plan each time it is made', async () => {
    expect(await planOf(delays)).toEqual(await planOf(delays))
  })

  it('names steps, sinks, and the columns of each port', async () => {
    const { plan, columns } = await answerOf(delays)
    expect(plan?.steps.map(({ nodeId }) => nodeId)).toEqual(delays.nodes.map(({ id }) => id))
    expect(plan?.sinks).toEqual([
      { nodeId: 'result', relation: 'result.in', format: 'csv', fileName: 'result.csv', keepsFormulas: false }
    ])
    expect(columns['located']?.['out']?.map(({ name }) => name)).toEqual([
      'origin',
      'delay',
      'the day',
      'iata',
      'state',
      'delay_right'
    ])
  })

  it('stops at relations that are tables already', async () => {
    const plan = await planOf(delays)
    const sql = toQuery(plan, 'result.in', new Set(['located.out']))
    expect(sql).not.toContain('late.out')
    expect(sql).toContain('"located.out"')
  })

  it('shares what two sinks read, and what it is run to', async () => {
    const two = graphOf(
      [...delays.nodes, node('again', 'sink', { format: 'json', fileName: 'again.json' })],
      [...delays.edges, edge('located', 'again')],
      delays.parameters
    )
    expect((await planOf(two)).shared).toEqual(['located.out'])
    const toLate = await planOf(delays, {}, 'late')
    expect(toLate.shared).toEqual(['late.out'])
    expect(toLate.steps.map(({ nodeId }) => nodeId)).toEqual(['flights', 'late'])
  })

  it('passes only rows that meet an edge condition', async () => {
    const graph = graphOf([source('flights'), sink], [edge('flights', 'result', { condition: 'delay < 20' })])
    expect(rowsOf(await planOf(graph), 'result.in').map(({ delay }) => delay)).toEqual([5])
  })

  it('runs to a node though others are wrong', async () => {
    const wrong = { ...delays, nodes: delays.nodes.map((n) => (n.id === 'located' ? { ...n, spec: {} } : n)) }
    expect((await planOf(wrong, {}, 'late')).steps).toHaveLength(2)
  })
})

describe('a transform step', () => {
  it('filters rows where the condition is true', async () => {
    expect(await steps({ op: 'filter', where: `origin = 'PDX' OR "the day" IS NOT NULL` })).toHaveLength(2)
  })
  it('derives new columns, and old ones anew in their place', async () => {
    const [row] = await steps({ op: 'derive', columns: { DELAY: 'delay * 2', code: 'lower(origin)' } })
    expect(Object.entries(row ?? {})).toEqual([
      ['origin', 'SEA'],
      ['DELAY', 40],
      ['the day', expect.anything()],
      ['code', 'sea']
    ])
  })
  it('selects, drops, renames', async () => {
    const rows = await steps(
      { op: 'rename', columns: { 'the day': 'x"y' } },
      { op: 'drop', columns: ['delay'] },
      { op: 'select', columns: ['x"y', 'origin'] },
      { op: 'limit', count: 1, offset: 2 }
    )
    expect(rows).toEqual([{ 'x"y': null, origin: 'PDX' }])
  })
  it('casts', async () => {
    expect((await steps({ op: 'cast', columns: { delay: 'text' } }))[0]?.['delay']).toBe('20')
  })
  it('keeps the first of equal rows', async () => {
    const rows = await steps({ op: 'distinct', by: ['origin'] }, { op: 'sort', by: [{ column: 'delay' }] })
    expect(rows.map(({ delay }) => delay)).toEqual([5, 20, 90])
  })
  it('pivots, with 0 where a count has nothing to count', async () => {
    const rows = await steps(
      { op: 'pivot', on: `origin IN ('SEA', 'PDX')`, using: 'count(*)', groupBy: ['the day'] },
      { op: 'sort', by: [{ column: 'SEA' }, { column: 'PDX' }] }
    )
    expect(rows.map(({ SEA, PDX }) => [SEA, PDX])).toEqual([
      [1n, 0n],
      [1n, 1n]
    ])
    const sums = await steps({
      op: 'pivot',
      on: `origin IN ('SEA', 'QQQ')`,
      using: { sum: 'sum(delay)', n: 'count(*)' }
    })
    expect(sums.map((row) => Object.keys(row))).toEqual([['SEA_sum', 'SEA_n', 'QQQ_sum', 'QQQ_n']])
    expect(sums[0]?.['QQQ_n']).toBe(0n)
  })
  it('unpivots without losing NULLs', async () => {
    const rows = await steps(
      { op: 'cast', columns: { delay: 'text', 'the day': 'text' } },
      { op: 'unpivot', columns: ['delay', 'the day'], nameTo: 'key', valueTo: 'value' }
    )
    expect(rows).toHaveLength(8)
    expect(rows[0]).toEqual({ origin: 'SEA', key: 'delay', value: '20' })
  })
  it('runs a query of its own over input', async () => {
    const query = `WITH big AS (SELECT * FROM input WHERE delay > 10)
      SELECT origin, row_number() OVER (ORDER BY delay DESC) AS place FROM big, (SELECT 1 AS one) ORDER BY place`
    expect(await steps({ op: 'sql', query }, { op: 'limit', count: 1 })).toEqual([
      { origin: 'XXX', place: 1n }
    ])
    expect(await steps({ op: 'sql', query: 'SELECT max(delay) AS m FROM input' })).toEqual([{ m: 90 }])
  })
  it('unites any number of inputs by the names of their columns', async () => {
    const graph = graphOf(
      [source('flights'), source('airports'), node('n', 'transform', { steps: [{ op: 'union' }] })],
      [edge('flights', 'n'), edge('airports', 'n')]
    )
    expect(rowsOf(await planOf(graph), 'n.out')).toHaveLength(6)
  })
})

describe('a join', () => {
  const join = async (spec: Record<string, unknown>) => {
    const graph = graphOf(
      [source('flights'), source('airports'), node('n', 'join', spec)],
      [edge('flights', 'n', { toPort: 'left' }), edge('airports', 'n', { toPort: 'right' })]
    )
    return rowsOf(await planOf(graph), 'n.out')
  }
  const on = [{ left: 'origin', right: 'iata' }]
  it.each([
    ['inner', 3],
    ['left', 4],
    ['right', 3],
    ['full', 4],
    ['semi', 3],
    ['anti', 1]
  ])('of type %s gives %i rows', async (type, count) => {
    expect(await join({ type, on })).toHaveLength(count)
  })
  it('matches by an expression over the names that leave it', async () => {
    const rows = await join({
      type: 'inner',
      onExpression: 'origin = iata AND delay > delay_r * 10',
      suffix: '_r'
    })
    expect(rows.map(({ delay, delay_r }) => [delay, delay_r])).toEqual([
      [20, 1],
      [40, 1]
    ])
  })
})

describe('rules', () => {
  const rules = [
    { name: 'a', when: 'delay > 30', set: { decision: `'late'`, delay: 'delay + 1' } },
    { name: 'b', when: `origin = 'XXX'`, reject: 'no such place' },
    { name: 'c', when: 'delay > 10', set: { decision: `'so so'` } }
  ]
  const otherwise = { decision: `'ok'` }
  it('stop at the first that matches', async () => {
    const rows = await through('rule', { mode: 'first', rules, otherwise })
    expect(rows.map(({ delay, decision }) => [delay, decision])).toEqual([
      [20, 'so so'],
      [41, 'late'],
      [5, 'ok'],
      [91, 'late']
    ])
    expect(await through('rule', { mode: 'first', rules, otherwise }, 'rejected')).toEqual([])
  })
  it('or all apply, later ones over earlier ones, and one that rejects rejects', async () => {
    const rows = await through('rule', { mode: 'all', rules, otherwise })
    expect(rows.map(({ delay, decision }) => [delay, decision])).toEqual([
      [20, 'so so'],
      [41, 'so so'],
      [5, 'ok']
    ])
    const rejected = await through('rule', { mode: 'all', rules, otherwise }, 'rejected')
    expect(rejected).toMatchObject([{ origin: 'XXX', delay: 90, _rule: 'b', _reason: 'no such place' }])
  })
  it('take a NULL condition for no match', async () => {
    const rows = await through('rule', {
      rules: [{ name: 'x', when: `"the day" > DATE '2000-01-01'`, set: { seen: 'true' } }]
    })
    expect(rows.map(({ seen }) => seen)).toEqual([true, null, null, null])
  })
  it('pass everything on where there are none', async () => {
    expect(await through('rule', {})).toHaveLength(4)
  })
})

describe('a branch', () => {
  const outputs = [
    { name: 'late', when: 'delay > 10' },
    { name: 'very late', when: 'delay > 30' },
    { name: 'rest' }
  ]
  it.each([
    ['first', 'late', 3],
    ['first', 'very late', 0],
    ['first', 'rest', 1],
    ['all', 'late', 3],
    ['all', 'very late', 2],
    ['all', 'rest', 1]
  ])('of mode %s sends by %s %i rows', async (mode, port, count) => {
    expect(await through('branch', { mode, outputs }, port)).toHaveLength(count)
  })
})

describe('problems', () => {
  const one = (kind: NodeKind, spec: Record<string, unknown>) =>
    graphOf([source('flights'), node('n', kind, spec), sink], [edge('flights', 'n'), edge('n', 'result')])

  it('are all named, each with the exact path, and not again downstream', async () => {
    const graph = one('transform', {
      steps: [{ op: 'derive', columns: { a: 'dely + 1', b: 'origin + + ', c: '(SELECT 1)', d: '$nope' } }]
    })
    expect(await problemsOf(graph)).toEqual([
      ['nodes[1].spec.steps[0].columns.c', 'expression', 'n'],
      ['nodes[1].spec.steps[0].columns.d', 'unknown-parameter', 'n'],
      ['nodes[1].spec.steps[0].columns.a', 'unknown-column', 'n'],
      ['nodes[1].spec.steps[0].columns.b', 'expression', 'n']
    ])
    const { problems } = await answerOf(graph)
    expect(problems[2]?.message).toBe('There is no column "dely" here. Did you mean "delay"?')
  })

  it.each([
    ['filter over an aggregate', { op: 'filter', where: 'count(*) > 1' }, 'where', 'expression'],
    ['plain column in an aggregate', { op: 'aggregate', columns: { x: 'delay' } }, 'columns.x', 'expression'],
    ['unknown group', { op: 'aggregate', groupBy: ['nope'] }, 'groupBy[0]', 'unknown-column'],
    ['a filter that is no condition', { op: 'filter', where: `"the day"` }, 'where', 'expression'],
    ['a query over something else', { op: 'sql', query: 'SELECT * FROM flights' }, 'query', 'expression'],
    [
      'an unknown column in a query',
      { op: 'sql', query: 'SELECT dely FROM input' },
      'query',
      'unknown-column'
    ],
    ['two columns of one name', { op: 'rename', columns: { delay: 'ORIGIN' } }, 'columns', 'invalid'],
    ['a pivot without values', { op: 'pivot', on: 'origin', using: 'count(*)' }, 'on', 'expression']
  ])('name a %s', async (_, step, path, code) => {
    expect(await problemsOf(one('transform', { steps: [step] }))).toEqual([
      [`nodes[1].spec.steps[0].${path}`, code, 'n']
    ])
  })

  it('name sources that are not in the catalog, and what is not built yet', async () => {
    const graph = graphOf(
      [
        node('s', 'source', { dataSource: 'nope' }),
        node('h', 'http', { request: { endpoint: 'e', method: 'GET', path: '/' } })
      ],
      [edge('s', 'h')]
    )
    expect(await problemsOf(graph)).toEqual([
      ['nodes[0].spec.dataSource', 'unknown-source', 's'],
      ['nodes[1].spec.request.endpoint', 'not-built-yet', 'h']
    ])
  })
})
