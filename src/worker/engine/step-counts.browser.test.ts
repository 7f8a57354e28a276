import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { GraphNode } from '../../workflow/graph.ts'
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

const ROWS = 'name,amount\na,1\nb,\nc,30\nd,-4\ne,500\nf,\ng,7\n'

for (const mode of ['first', 'all']) {
  test(`the rows that a rule keeps, in mode ${mode}, are as many as are there, and so are those behind it`, async () => {
    const graph = {
      nodes: [
        node('orders', 'source', { dataSource: 'orders' }),
        node('judged', 'rule', {
          mode,
          rules: [
            { name: 'large', when: 'amount > 20', set: { size: `'large'` } },
            { name: 'negative', when: 'amount < 0', reject: 'below zero' },
            { name: 'huge', when: 'amount > 100', reject: 'too much' }
          ],
          otherwise: { size: `'small'` }
        }),
        node('kept', 'transform', {
          steps: [{ op: 'aggregate', groupBy: ['size'], columns: { n: 'count(*)' } }]
        }),
        node('sizes', 'sink', { format: 'csv', fileName: 'sizes.csv' })
      ],
      edges: [
        ['orders', 'judged'],
        ['judged', 'kept'],
        ['kept', 'sizes']
      ] as const
    }
    const { plan, sources } = await bed.plan(graph, { orders: await bed.prepare('orders.csv', ROWS) })
    const told = listening()
    const outcome = await bed.engine.execute({
      plan,
      sources,
      signal: new AbortController().signal,
      listener: told.listener
    })
    expect(outcome).toEqual({ status: 'succeeded' })
    const file = told.artifacts.find(({ fileName }) => fileName === 'sizes.csv')
    const stored = await bed.context.blobStore.get({ key: file?.blobKey ?? '' })
    const lines = new TextDecoder().decode(stored?.data).trim().split('\n').slice(1)
    const kept = lines.reduce((sum, line) => sum + Number(line.split(',')[1]), 0)
    // In mode first the huge one is large before, and stays.
    expect(kept).toBe(mode === 'first' ? 6 : 5)
    expect(told.succeeded.get('judged')).toMatchObject({ rowsIn: 7, rowsOut: 7 })
    expect(told.succeeded.get('kept')).toMatchObject({ rowsIn: kept })
  })
}
