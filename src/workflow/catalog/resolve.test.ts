import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine, type Engine } from '../contract/duckdb.ts'
import { GraphEdge, type Graph, type GraphNode, type NodeKind } from '../graph.ts'
import { planGraph } from '../plan.ts'
import { toQuery } from '../query.ts'
import { CatalogContent, type CatalogKind } from './content.ts'
import { resolveGraph, type CatalogItems, type CatalogVersion } from './resolve.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const ORDERS = `SELECT * FROM (VALUES (1, 10.5, 'a'), (2, 200.25, 'b'), (3, NULL, 'c')) AS t(id, amount, "odd ""name")`
const catalog = {
  find: async (name: string) => {
    const described = await engine.binder.describe(ORDERS, [])
    if (!described.ok) throw new Error(described.message)
    return { dataSourceId: name, name, columns: described.columns, rows: null }
  }
}

const version = (name: string, number: number, raw: unknown): CatalogVersion => ({
  ...CatalogContent.parse(raw),
  itemId: `catalog:${name}`,
  name,
  version: number,
  sha256: `${name}@${number}`
})
const itemsOf = (...versions: CatalogVersion[]): CatalogItems => {
  const named = (kind: CatalogKind, name: string) =>
    versions.filter((each) => each.kind === kind && each.name === name)
  return {
    find: (kind, name, asked) => {
      const found = named(kind, name)
      const newest = found.at(-1)
      if (newest === undefined || asked === undefined) return newest
      return found.find((each) => each.version === asked) ?? { newest: newest.version }
    },
    names: (kind) => versions.filter((each) => each.kind === kind).map(({ name }) => name)
  }
}
const operator = (name: string, spec: Record<string, unknown>): CatalogVersion =>
  version(name, 1, { kind: 'operator', spec })

const graphOf = (
  kind: NodeKind,
  spec: Record<string, unknown>,
  parameters: Graph['parameters'] = {}
): Graph => {
  const node = (id: string, of: NodeKind, its: Record<string, unknown>): GraphNode => ({
    id,
    kind: of,
    name: id,
    spec: its
  })
  return {
    parameters,
    nodes: [node('orders', 'source', { dataSource: 'orders' }), node('n', kind, spec)],
    edges: [GraphEdge.parse({ from: 'orders', to: 'n' })]
  }
}
const use = (name: string, args: Record<string, unknown> = {}): Record<string, unknown> => ({
  op: 'operator',
  name,
  arguments: args
})

const resolveAndPlan = async (graph: Graph, items: CatalogItems) => {
  const resolved = resolveGraph(graph, items)
  const answer = await planGraph({
    graph: resolved.graph,
    parameters: resolved.values,
    catalog,
    binder: engine.binder
  })
  return {
    resolved,
    plan: answer.plan,
    problems: [...resolved.problems, ...answer.problems.map(resolved.toOriginal)]
  }
}

const literal = (value: unknown): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)

const through = async (graph: Graph, items: CatalogItems, port = 'out') => {
  const { plan, problems } = await resolveAndPlan(graph, items)
  expect(problems).toEqual([])
  if (plan === undefined) throw new Error('no plan')
  engine.rows(`CREATE OR REPLACE TEMP TABLE "orders.out" AS ${ORDERS}`)
  for (const [name, value] of Object.entries(plan.parameters)) {
    engine.rows(`SET VARIABLE "${name}" = ${literal(value)}`)
  }
  const sql = toQuery(plan, `n.${port}`, new Set())
  return { sql, rows: engine.rows(sql) }
}

const sizes = (when: string, number: number) =>
  version('Sizes', number, {
    kind: 'rule-set',
    spec: { rules: [{ name: 'big', when, set: { size: `'big'` } }] }
  })

describe('rule sets in a rule node', () => {
  const items = itemsOf(sizes('amount > 100', 1), sizes('amount > 1', 2))
  const bigOnes = async (ruleSet: Record<string, unknown>) =>
    (await through(graphOf('rule', { ruleSet }), items)).rows.filter(({ size }) => size === 'big').length

  it('are of the latest version, or of the pinned one', async () => {
    expect(await bigOnes({ name: 'Sizes' })).toBe(2)
    expect(await bigOnes({ name: 'Sizes', version: 1 })).toBe(1)
  })

  it('are written down with their version and hash', () => {
    const { used } = resolveGraph(graphOf('rule', { ruleSet: { name: 'Sizes' } }), items)
    expect(used).toEqual([
      {
        nodeId: 'n',
        path: '.ruleSet',
        kind: 'rule-set',
        itemId: 'catalog:Sizes',
        name: 'Sizes',
        version: 2,
        sha256: 'Sizes@2'
      }
    ])
  })

  it.each([
    [{ name: 'Size' }, /no rule set "Size".*Did you mean "Sizes"\?/],
    [{ name: 'Sizes', version: 7 }, /no version 7; its newest is 2/]
  ])('that are missing are named: %j', async (ruleSet, message) => {
    const { problems, plan } = await resolveAndPlan(graphOf('rule', { ruleSet }), items)
    expect(problems).toEqual([
      expect.objectContaining({ code: 'unknown-item', path: 'nodes[1].spec.ruleSet', nodeId: 'n' })
    ])
    expect(problems[0]?.message).toMatch(message)
    expect(plan?.steps.map(({ nodeId }) => nodeId)).toEqual(['orders'])
  })

  it('that do not fit the rows are named with the rule that does not', async () => {
    const wrong = itemsOf(sizes('amuont > 1', 1))
    const { problems } = await resolveAndPlan(graphOf('rule', { ruleSet: { name: 'Sizes' } }), wrong)
    expect(problems[0]).toMatchObject({ code: 'misfit', path: 'nodes[1].spec.ruleSet' })
    expect(problems[0]?.message).toMatch(/In rule set "Sizes", rule "big": .*"amuont"/)
  })
})

describe('operators in a transform node', () => {
  const rounding = operator('Rounding', {
    kind: 'transform',
    parameters: [
      { name: 'column', type: 'column' },
      { name: 'least', type: 'number', default: 0 }
    ],
    steps: [
      { op: 'filter', where: '$column >= $least' },
      { op: 'derive', columns: { rounded: 'round($column)' } },
      { op: 'select', columns: ['id', '$column', 'rounded'] }
    ]
  })
  const valid = operator('Complete', {
    kind: 'validation',
    checks: [
      { when: 'amount IS NOT NULL', reason: `it's empty` },
      { when: 'amount < 100', reason: 'too big' }
    ]
  })

  it('stand for their steps: columns by name, values bound and never part of the text', async () => {
    const graph = graphOf('transform', {
      steps: [use('Rounding', { column: 'amount', least: 98.75 }), { op: 'drop', columns: ['id'] }]
    })
    const { sql, rows } = await through(graph, itemsOf(rounding))
    expect(sql).not.toContain('98.75')
    expect(rows).toHaveLength(1)
    expect(Object.keys(rows[0] ?? {})).toEqual(['amount', 'rounded'])
  })

  it('take a parameter of the workflow', async () => {
    const spec = { steps: [use('Rounding', { column: 'amount', least: { parameter: 'floor' } })] }
    const { plan } = await resolveAndPlan(
      graphOf('transform', spec, { floor: { type: 'number' } }),
      itemsOf(rounding)
    )
    expect(Object.keys(plan?.parameters ?? {})).toEqual(['floor'])
  })

  it('validate without dropping a row', async () => {
    const { rows } = await through(graphOf('transform', { steps: [use('Complete')] }), itemsOf(valid))
    expect(rows.map((row) => row['_problems'])).toEqual([null, 'too big', `it's empty; too big`])
  })

  it('aggregate, and compute columns', async () => {
    const items = itemsOf(
      operator('Totals', {
        kind: 'aggregate',
        parameters: [{ name: 'by', type: 'column' }],
        groupBy: ['$by'],
        columns: { n: 'count(*)' }
      }),
      operator('Double', { kind: 'enricher', columns: { twice: 'id * 2' } })
    )
    const { rows } = await through(
      graphOf('transform', { steps: [use('Double'), use('Totals', { by: 'twice' })] }),
      items
    )
    expect(rows.map(({ n }) => Number(n))).toEqual([1, 1, 1])
  })

  it.each([
    [{ column: 'amount', more: 1 }, '.arguments.more', /takes no "more"/],
    [{}, '.arguments.column', /needs "column"/],
    [{ column: 7 }, '.arguments.column', /name of a column/],
    [{ column: 'amount', least: 'x' }, '.arguments.least', /must be a number/],
    [{ column: 'amount', least: { parameter: 'floor' } }, '.arguments.least', /no parameter "floor"/],
    [{ column: 'amuont' }, '', /In operator "Rounding": .*"amuont"/]
  ])('say what is wrong with %j', async (given, path, message) => {
    const graph = graphOf('transform', {
      steps: [{ op: 'filter', where: 'id > 0' }, use('Rounding', given)]
    })
    const { problems } = await resolveAndPlan(graph, itemsOf(rounding))
    expect(problems[0]).toMatchObject({ code: 'misfit', path: `nodes[1].spec.steps[1]${path}` })
    expect(problems[0]?.message).toMatch(message)
  })

  it('leave problems of the steps around them where they stand', async () => {
    const graph = graphOf('transform', {
      steps: [use('Rounding', { column: 'amount' }), { op: 'drop', columns: ['nothing'] }]
    })
    const { problems } = await resolveAndPlan(graph, itemsOf(rounding))
    expect(problems).toEqual([
      expect.objectContaining({ code: 'unknown-column', path: 'nodes[1].spec.steps[1].columns[0]' })
    ])
  })

  const hostile = fc.oneof(
    fc.constantFrom(
      `amount" FROM t; DROP TABLE orders; --`,
      `'; DROP TABLE orders; --`,
      '(SELECT 1)',
      `a"b`,
      `read_csv('/etc/passwd')`,
      '$least',
      '{{x}}',
      `1) OR (1=1`
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
  )

  it('keep what is given out of the SQL: a column is there or not, a value is a value', async () => {
    const echo = operator('Echo', {
      kind: 'enricher',
      parameters: [
        { name: 'column', type: 'column', default: 'id' },
        { name: 'text', type: 'text', default: '' }
      ],
      columns: { column: '$column', said: '$text' }
    })
    await fc.assert(
      fc.asyncProperty(hostile, async (text) => {
        const asColumn = await resolveAndPlan(
          graphOf('transform', { steps: [use('Echo', { column: text })] }),
          itemsOf(echo)
        )
        expect(asColumn.problems).not.toEqual([])
        const asValue = await resolveAndPlan(
          graphOf('transform', { steps: [use('Echo', { text })] }),
          itemsOf(echo)
        )
        expect(asValue.problems).toEqual([])
        expect(Object.values(asValue.plan?.parameters ?? {})).toEqual([text])
      }),
      { numRuns: 60 }
    )
    const odd = graphOf('transform', { steps: [use('Echo', { column: 'odd "name' })] })
    expect((await through(odd, itemsOf(echo))).rows.map(({ column }) => column)).toEqual(['a', 'b', 'c'])
  })
})

describe('joins, requests and schemas', () => {
  it('a join says its columns', () => {
    const items = itemsOf(
      version('Airports', 3, {
        kind: 'join',
        spec: { left: 'L', right: 'R', type: 'left', on: [{ left: 'a', right: 'b' }], suffix: '_of' }
      })
    )
    const specOf = (spec: Record<string, unknown>) =>
      resolveGraph(graphOf('join', spec), items).graph.nodes[1]?.spec
    expect(specOf({ join: 'Airports' })).toEqual({
      type: 'left',
      on: [{ left: 'a', right: 'b' }],
      suffix: '_of'
    })
    expect(specOf({ join: 'Airports', suffix: '_mine' })).toMatchObject({ suffix: '_mine' })
  })

  const endpoint = version('People', 1, {
    kind: 'endpoint',
    spec: { baseUrl: 'https://example.com/v1', headers: { Accept: 'text/csv', 'X-App': 'FlowForge' } }
  })
  const template = version('Person', 4, {
    kind: 'request-template',
    spec: {
      endpoint: 'People',
      method: 'GET',
      path: '/people/{{id}}',
      headers: { Accept: 'application/json' }
    }
  })

  it('a template says its request, with the address and headers of its endpoint', () => {
    const { graph, used } = resolveGraph(
      graphOf('http', { template: 'Person', per: 'row' }),
      itemsOf(endpoint, template)
    )
    expect(graph.nodes[1]?.spec).toEqual({
      per: 'row',
      request: {
        endpoint: 'https://example.com/v1',
        method: 'GET',
        path: '/people/{{id}}',
        headers: { Accept: 'application/json', 'X-App': 'FlowForge' }
      }
    })
    expect(used.map(({ kind, version: number }) => [kind, number])).toEqual([
      ['request-template', 4],
      ['endpoint', 1]
    ])
  })

  it('a request of a node’s own may name an endpoint, or say an address', () => {
    const requestOf = (name: string) => {
      const request = { endpoint: name, method: 'GET', path: '/x' }
      return resolveGraph(graphOf('http', { request }), itemsOf(endpoint))
    }
    expect(requestOf('People').graph.nodes[1]?.spec).toMatchObject({
      request: { endpoint: 'https://example.com/v1', headers: { 'X-App': 'FlowForge' } }
    })
    expect(requestOf('https://other.example').problems).toEqual([])
    expect(requestOf('Peple').problems).toEqual([
      expect.objectContaining({ code: 'unknown-item', path: 'nodes[1].spec.request.endpoint' })
    ])
  })

  it('a source’s schema is pinned and handed on', () => {
    const schema = version('Order', 2, { kind: 'schema', spec: { jsonSchema: { type: 'object' } } })
    const resolved = resolveGraph(
      graphOf('source', { dataSource: 'orders', schema: { name: 'Order' } }),
      itemsOf(schema)
    )
    expect(resolved.graph.nodes[1]?.spec).toMatchObject({ schema: { name: 'Order', version: 2 } })
    expect(resolved.schemas.get('n')).toEqual({ type: 'object' })
  })
})
