import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GraphNode } from '../../workflow/graph.ts'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY, listening, openTestEngine, type TestEngine } from './contract/test-engine.ts'

let bed: TestEngine
beforeAll(async () => {
  bed = openTestEngine(await openDbContext(IN_MEMORY))
})
afterAll(() => bed.close())

const node = (id: string, kind: GraphNode['kind'], spec: Record<string, unknown>): GraphNode => ({
  id,
  kind,
  name: id,
  spec
})

const never = new AbortController().signal

const FLIGHTS = 'origin,delay,id\nSEA,20,9007199254740993\nPDX,5,2\nSEA,40,3\nXXX,30,4\n'
const AIRPORTS = 'iata,state\nSEA,WA\nPDX,OR\n'

const delays = (condition: string) => ({
  nodes: [
    node('flights', 'source', { dataSource: 'flights' }),
    node('airports', 'source', { dataSource: 'airports' }),
    node('late', 'transform', { steps: [{ op: 'filter', where: condition }] }),
    node('located', 'join', { type: 'inner', on: [{ left: 'origin', right: 'iata' }] }),
    node('by_state', 'transform', {
      steps: [
        {
          op: 'aggregate',
          groupBy: ['state'],
          columns: { flights: 'count(*)', total: 'sum(delay)', ids: 'max(id)' }
        }
      ]
    }),
    node('result', 'sink', { format: 'csv', fileName: 'out.csv' })
  ],
  edges: [
    ['flights', 'late'],
    ['late', 'located.left'],
    ['airports', 'located.right'],
    ['located', 'by_state'],
    ['by_state', 'result']
  ] as const,
  parameters: { min: { type: 'number' as const } }
})

const prepareBoth = async () => ({
  flights: await bed.prepare('flights.csv', FLIGHTS),
  airports: await bed.prepare('airports.csv', AIRPORTS)
})

describe('a run', () => {
  test('joins, groups, counts every step and writes both artifacts', async () => {
    const { plan, sources } = await bed.plan(delays('delay >= $min'), await prepareBoth(), {
      parameters: { min: 15 }
    })
    const told = listening()
    const outcome = await bed.engine.execute({
      plan,
      sources,
      signal: never,
      listener: told.listener
    })
    expect(outcome).toEqual({ status: 'succeeded' })
    const counts = Object.fromEntries(
      [...told.succeeded].map(([id, { rowsIn, rowsOut }]) => [id, [rowsIn, rowsOut]])
    )
    expect(counts).toEqual({
      flights: [null, 4],
      airports: [null, 2],
      late: [4, 3],
      located: [5, 2],
      by_state: [2, 1],
      result: [1, 1]
    })
    expect(told.artifacts.map(({ kind, format, rows, fileName }) => [kind, format, rows, fileName])).toEqual([
      ['table', 'arrow', 1, null],
      ['file', 'csv', 1, 'out.csv']
    ])
    const [table, file] = told.artifacts
    const csv = await bed.context.blobStore.get({ key: file?.blobKey ?? '' })
    expect(new TextDecoder().decode(csv?.data)).toBe('state,flights,total,ids\nWA,2,60,9007199254740993\n')
    const page = await bed.engine.readArtifact({
      blobKey: table?.blobKey ?? '',
      layout: table?.layout ?? { pieces: [] },
      columns: table?.columns ?? [],
      offset: 0,
      limit: 10
    })
    expect(page.rows).toEqual([{ state: 'WA', flights: 2, total: 60, ids: 9007199254740993n }])
    expect(page.total).toBe(1)
  })

  test('of which a step fails names the node and the reason', async () => {
    const graph = {
      nodes: [
        node('flights', 'source', { dataSource: 'flights' }),
        node('fine', 'transform', { steps: [{ op: 'derive', columns: { twice: 'delay * 2' } }] }),
        node('cast', 'transform', { steps: [{ op: 'cast', columns: { origin: 'integer' } }] }),
        node('after', 'transform', { steps: [{ op: 'filter', where: 'twice > 0' }] }),
        node('result', 'sink', { format: 'json', fileName: 'out.json' })
      ],
      edges: [
        ['flights', 'fine'],
        ['fine', 'cast'],
        ['cast', 'after'],
        ['after', 'result']
      ] as const
    }
    const { plan, sources } = await bed.plan(graph, await prepareBoth())
    const told = listening()
    const outcome = await bed.engine.execute({ plan, sources, signal: never, listener: told.listener })
    expect(outcome).toMatchObject({ status: 'failed', nodeId: 'cast' })
    expect(outcome.status === 'failed' && outcome.message).toContain("Could not convert string 'SEA'")
    expect(told.artifacts).toEqual([])
    expect([...told.succeeded.keys()]).toEqual(['flights'])
  })

  test('to a node without a sink leaves its rows as a table', async () => {
    const { plan, sources } = await bed.plan(delays('delay >= $min'), await prepareBoth(), {
      parameters: { min: 15 },
      until: 'located'
    })
    const told = listening()
    expect(await bed.engine.execute({ plan, sources, signal: never, listener: told.listener })).toEqual({
      status: 'succeeded'
    })
    expect(told.artifacts.map(({ nodeId, kind, rows }) => [nodeId, kind, rows])).toEqual([
      ['located', 'table', 2]
    ])
  })

  test('with branches, shared rows and an unread port counts each once', async () => {
    const graph = {
      nodes: [
        node('flights', 'source', { dataSource: 'flights' }),
        node('split', 'branch', {
          mode: 'first',
          outputs: [{ name: 'late', when: 'delay > 15' }, { name: 'rest' }]
        }),
        node('one', 'sink', { format: 'json', fileName: 'one.json' }),
        node('two', 'sink', { format: 'csv', fileName: 'two.csv' })
      ],
      edges: [
        ['flights', 'split'],
        ['split.late', 'one'],
        ['split.late', 'two']
      ] as const
    }
    const { plan, sources } = await bed.plan(graph, await prepareBoth())
    const told = listening()
    expect(await bed.engine.execute({ plan, sources, signal: never, listener: told.listener })).toEqual({
      status: 'succeeded'
    })
    expect(told.succeeded.get('split')).toMatchObject({ rowsIn: 4, rowsOut: 4 })
    expect(told.succeeded.get('two')).toMatchObject({ rowsIn: 3, rowsOut: 3 })
    const one = told.artifacts.find(({ fileName }) => fileName === 'one.json')
    const json = await bed.context.blobStore.get({ key: one?.blobKey ?? '' })
    expect(new TextDecoder().decode(json?.data)).toContain('"id":9007199254740993')
  })
})

/** Work for minutes: every pair of 100,000 rows, or one sort that takes long to begin. */
const endless = {
  aggregate: 'SELECT sum(a.n * b.n) AS s FROM input a CROSS JOIN input b',
  sort: 'SELECT a.n, b.n AS m FROM input a CROSS JOIN input b WHERE a.n < 100 ORDER BY hash(a.n * b.n)',
  stream: 'SELECT a.n, b.n AS m FROM input a CROSS JOIN input b'
}

describe('a cancel', () => {
  const numbers = async () =>
    bed.prepare('numbers.csv', `n\n${Array.from({ length: 100_000 }, (_, index) => index).join('\n')}\n`)
  const graphOf = (query: string) => ({
    nodes: [
      node('numbers', 'source', { dataSource: 'numbers' }),
      node('work', 'transform', { steps: [{ op: 'sql', query }] }),
      node('result', 'sink', { format: 'csv', fileName: 'out.csv' })
    ],
    edges: [
      ['numbers', 'work'],
      ['work', 'result']
    ] as const
  })

  test.each(Object.entries(endless))('stops a run within a second: %s', async (_, query) => {
    const { plan, sources } = await bed.plan(graphOf(query), { numbers: await numbers() })
    const told = listening()
    const abortion = new AbortController()
    const running = bed.engine.execute({
      plan,
      sources,
      signal: abortion.signal,
      listener: {
        ...told.listener,
        stepStarted: async (nodeId) => {
          await told.listener.stepStarted(nodeId)
          // Let the query begin, and then get far.
          if (nodeId === 'result') setTimeout(() => abortion.abort(), 700)
        }
      }
    })
    const aborted = new Promise<number>((resolve) => {
      abortion.signal.addEventListener('abort', () => resolve(performance.now()))
    })
    expect(await running).toEqual({ status: 'canceled' })
    const latency = performance.now() - (await aborted)
    console.info(`cancel latency ${Math.round(latency)} ms`)
    expect(latency).toBeLessThan(1_000)
    expect(told.artifacts).toEqual([])
    expect([...told.succeeded.keys()]).toEqual(['numbers'])
    // The engine goes on working.
    expect((await prepareBoth()).flights.rows).toBe(4)
  })

  test('of a preview leaves a run beside it alone', async () => {
    const source = await numbers()
    const { plan: slow, sources } = await bed.plan(graphOf(endless.aggregate), { numbers: source })
    const { plan: quick } = await bed.plan(
      graphOf(
        'SELECT count(*) AS c FROM input a CROSS JOIN (SELECT * FROM input LIMIT 2000) b WHERE a.n <> b.n'
      ),
      { numbers: source }
    )
    const told = listening()
    const running = bed.engine.execute({ plan: quick, sources, signal: never, listener: told.listener })
    const abortion = new AbortController()
    const preview = bed.engine.preview({
      plan: slow,
      relation: 'work.out',
      limit: 10,
      sources,
      signal: abortion.signal
    })
    setTimeout(() => abortion.abort(), 100)
    await expect(preview).rejects.toMatchObject({ code: 'CANCELED' })
    expect(await running).toEqual({ status: 'succeeded' })
    expect(told.succeeded.get('result')?.rowsOut).toBe(1)
  })
})
