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
      signal: new AbortController().signal,
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
})
