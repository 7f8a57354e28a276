import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDocument, toDocument, toGraph } from './document.ts'
import type { Graph, GraphNode } from './graph.ts'
import { readHttp } from './nodes/http.ts'

const example = {
  format: 'flowforge.workflow/1',
  name: 'Delays by state',
  description: 'Which states suffer most from late flights',
  parameters: { minDelay: { type: 'number', default: 15 } },
  nodes: [
    { id: 'flights', kind: 'source', name: 'Flights', spec: { dataSource: 'flights-2k.json' } },
    { id: 'airports', kind: 'source', name: 'Airports', spec: { dataSource: 'airports.csv' } },
    {
      id: 'late',
      kind: 'transform',
      name: 'Late only',
      spec: { steps: [{ op: 'filter', where: 'delay >= $minDelay' }] }
    },
    {
      id: 'located',
      kind: 'join',
      name: 'With airport',
      spec: { type: 'inner', on: [{ left: 'origin', right: 'iata' }] }
    },
    { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'delays-by-state.csv' } }
  ],
  edges: [
    { from: 'flights', to: 'late' },
    { from: 'late', to: 'located', toPort: 'left' },
    { from: 'airports', to: 'located', toPort: 'right' },
    { from: 'located', to: 'result' }
  ]
}

const problemsOf = (document: unknown): string[] => {
  const parsed = parseDocument(document)
  return parsed.ok ? [] : parsed.problems.map(({ path, code }) => `${path} ${code}`)
}
const withNodes = (...nodes: unknown[]) => ({ ...example, nodes, edges: [] })
const source = example.nodes[0]

describe('a workflow document', () => {
  it('is read, and written again as it was', () => {
    const parsed = parseDocument(example)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
    const graph = toGraph(parsed.document)
    expect(graph.edges[0]).toEqual({ from: 'flights', fromPort: 'out', to: 'late', toPort: 'in' })
    expect(toDocument(graph, example.name, example.description)).toEqual(example)
  })

  it('holds no secret of a request, and says when it is read that one is missing', () => {
    const request = {
      endpoint: 'https://h.example',
      method: 'POST',
      path: '/a?api_key=hunter2&page=1&token={{k}}',
      headers: { Authorization: 'Bearer hunter2', 'X-Auth-Token': 'Token {{t}}', Accept: 'text/csv' },
      body: { of: '{{k}}' }
    }
    const ask: GraphNode = { id: 'ask', kind: 'http', name: 'Ask', spec: { request } }
    const document = toDocument({ parameters: {}, nodes: [ask], edges: [] }, 'Secrets')
    expect(document.nodes[0]?.spec).toEqual({
      request: {
        ...request,
        path: '/a?api_key=***&page=1&token={{k}}',
        headers: { Authorization: '***', 'X-Auth-Token': 'Token {{t}}', Accept: 'text/csv' }
      }
    })
    const again = readHttp(document.nodes[0]?.spec)
    expect(again.ok && again.node.notBuilt.map(({ path, message }) => [path, message.split(' ')[3]])).toEqual(
      [
        ['.request.headers.Authorization', '"Authorization"'],
        ['.request.path', '"api_key"']
      ]
    )
    const whole = readHttp(ask.spec)
    expect(whole.ok && whole.node.notBuilt).toEqual([])
  })

  it('is refused with every problem in it, each by its path', () => {
    const document = {
      ...example,
      colour: 'red',
      nodes: [
        ...example.nodes,
        { id: 'late', kind: 'sink', name: '', spec: { format: 'pdf' } },
        { id: 'not ok', kind: 'sink', name: '', spec: {} },
        { id: 'bad', kind: 'transform', name: '', spec: { steps: [{ op: 'filter', were: 'x' }] } }
      ],
      edges: [...example.edges, { from: 'located', fromPort: 'rejected', to: 'result' }]
    }
    const problems = problemsOf(document)
    for (const problem of [
      ' invalid',
      'nodes[5].spec.format invalid',
      'nodes[5].id duplicate-id',
      'nodes[6].id invalid',
      'nodes[7].spec.steps[0].where invalid',
      'nodes[7].spec.steps[0] invalid',
      'edges[4].fromPort wrong-port',
      'nodes[4] too-many-inputs'
    ]) {
      expect(problems).toContain(problem)
    }
  })

  it.each<[string, unknown, string[]]>([
    ['something else', 42, [' invalid']],
    ['another format', { ...example, format: 'x' }, ['format invalid']],
    [
      'a cycle',
      {
        ...withNodes(
          { id: 'a', kind: 'transform', name: '', spec: { steps: [] } },
          { id: 'b', kind: 'transform', name: '', spec: { steps: [] } }
        ),
        edges: [
          { from: 'a', to: 'b' },
          { from: 'b', to: 'a' }
        ]
      },
      ['edges[1] cycle']
    ],
    ['a node without its input', withNodes(source, example.nodes[2]), ['nodes[1] missing-input']],
    [
      'an edge to a node that is not there',
      { ...withNodes(source), edges: [{ from: 'flights', to: 'z' }] },
      ['edges[0].to unknown-node']
    ],
    [
      'an unknown parameter in a condition',
      {
        ...example,
        parameters: {},
        edges: [...example.edges.slice(0, 3), { from: 'located', to: 'result', condition: 'a > $b; DROP' }]
      },
      ['nodes[2].spec.steps[0].where unknown-parameter', 'edges[3].condition expression']
    ],
    [
      'the same edge twice',
      { ...example, edges: [...example.edges, { from: 'flights', to: 'late' }] },
      ['nodes[2] too-many-inputs', 'edges[4] duplicate-id']
    ],
    ['a place on the canvas', withNodes({ ...source, x: 1 }), ['nodes[0] invalid']],
    [
      'a file name with a path',
      withNodes({ ...example.nodes[4], spec: { format: 'csv', fileName: '../x' } }),
      ['nodes[0].spec.fileName invalid']
    ]
  ])('is refused for %s', (_, document, problems) => {
    expect(problemsOf(document)).toEqual(expect.arrayContaining(problems))
  })

  it('imports to the graph that it was exported from', () => {
    const Id = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,8}$/)
    const Text = fc.string({ maxLength: 8 })
    const Spec = fc.record({
      steps: fc.array(
        fc.oneof(
          fc.record({ op: fc.constant('limit'), count: fc.nat() }),
          fc.record({ op: fc.constant('filter'), where: fc.constantFrom('a > 1', '$p = "x y"') }),
          fc.record({
            op: fc.constant('select'),
            columns: fc.array(fc.string({ minLength: 1 }), { minLength: 1 })
          })
        )
      )
    })
    const Chain = fc
      .uniqueArray(fc.tuple(Id, Text, Spec), { minLength: 1, maxLength: 6, selector: ([id]) => id })
      .map((parts): Graph => {
        const nodes = parts.map(([id, name, spec], at): GraphNode =>
          at === 0
            ? { id, kind: 'source', name, spec: { dataSource: 'x' } }
            : { id, kind: 'transform', name, spec }
        )
        const edges = nodes.slice(1).map(({ id }, at) => ({
          from: nodes[at]?.id ?? '',
          fromPort: at === 0 && id.length % 2 === 0 ? 'rejected' : 'out',
          to: id,
          toPort: 'in',
          ...(id.length % 3 === 0 ? { condition: 'a < 2' } : {})
        }))
        return { parameters: { p: { type: 'text', default: 'd' } }, nodes, edges }
      })
    fc.assert(
      fc.property(Chain, (graph) => {
        const parsed = parseDocument(JSON.parse(JSON.stringify(toDocument(graph, 'W'))))
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
        expect(toGraph(parsed.document)).toEqual(graph)
      })
    )
  })
})
