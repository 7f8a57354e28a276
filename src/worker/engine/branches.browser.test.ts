import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { GraphNode } from '../../workflow/graph.ts'
import { createDeferred } from '../deferred.ts'
import type { AskService } from './ask-service.ts'
import type { ExecutionListener } from './compute-engine.ts'
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
const asking = (id: string): GraphNode =>
  node(id, 'http', {
    request: { endpoint: 'http://127.0.0.1:1', method: 'GET', path: '/{{n}}' },
    response: { columns: { said: '/said' } }
  })
const csv = (id: string): GraphNode => node(id, 'sink', { format: 'csv', fileName: `${id}.csv` })

/** Two services are asked for the same rows, and a third branch asks nobody. */
const graphOf = (query: string) => ({
  nodes: [
    node('numbers', 'source', { dataSource: 'numbers' }),
    asking('left'),
    asking('right'),
    node('work', 'transform', { steps: [{ op: 'sql', query }] }),
    csv('left_out'),
    csv('right_out'),
    csv('work_out')
  ],
  edges: [
    ['numbers', 'left'],
    ['numbers', 'right'],
    ['numbers', 'work'],
    ['left', 'left_out'],
    ['right', 'right_out'],
    ['work', 'work_out']
  ] as const
})

const run = async (query: string, ask: AskService, listener: Partial<ExecutionListener> = {}) => {
  const numbers = await bed.prepare('numbers.csv', `n\n${[3, 1, 2].join('\n')}\n`)
  const { plan, sources } = await bed.plan(graphOf(query), { numbers })
  const told = listening()
  const signal = new AbortController().signal
  const outcome = await bed.engine.execute({
    plan,
    sources,
    signal,
    ask,
    listener: { ...told.listener, ...listener }
  })
  return { outcome, told }
}

/** Answers every row once `before` says so. */
const answering = (before: (nodeId: string) => Promise<void>): AskService =>
  async function* ({ nodeId, rows }) {
    for await (const batch of rows) {
      await before(nodeId)
      yield batch.map(({ key, values }) => ({
        key,
        index: 0,
        status: 200,
        error: null,
        values: [`${nodeId} ${values.get('n')?.text ?? ''}`]
      }))
    }
  }

test('services are asked at the same time, and what asks nobody is done meanwhile', async () => {
  const both = { left: createDeferred<void>(), right: createDeferred<void>() }
  const isWritten = createDeferred<void>()
  const ask = answering(async (nodeId) => {
    both[nodeId === 'left' ? 'left' : 'right'].resolve()
    // Neither is answered before both were asked and the third branch has its file.
    await Promise.all([both.left.promise, both.right.promise, isWritten.promise])
  })
  const { outcome, told } = await run('SELECT sum(n) AS s FROM input', ask, {
    stepSucceeded: async (nodeId) => {
      if (nodeId === 'work_out') isWritten.resolve()
    }
  })
  expect(outcome).toEqual({ status: 'succeeded' })
  // Each step begins once.
  expect(told.started.toSorted()).toEqual([
    'left',
    'left_out',
    'numbers',
    'right',
    'right_out',
    'work',
    'work_out'
  ])
  const rowsOf = async (nodeId: string) => {
    const table = told.artifacts.find((each) => each.nodeId === nodeId && each.kind === 'table')
    if (table?.layout == null) throw new Error(`${nodeId} wrote no table.`)
    const { blobKey, layout, columns } = table
    return (await bed.engine.readArtifact({ blobKey, layout, columns, offset: 0, limit: 10 })).rows
  }
  // In the order of the rows, whoever was quicker.
  expect(await rowsOf('left_out')).toEqual([3, 1, 2].map((n) => ({ n, said: `left ${n}` })))
  expect(await rowsOf('right_out')).toEqual([3, 1, 2].map((n) => ({ n, said: `right ${n}` })))
})

test('a failure stops the engine and the other service, and is the one that is told', async () => {
  const isComputing = createDeferred<void>()
  let other = 'never asked'
  const ask: AskService = async function* ({ nodeId, rows, ending }) {
    for await (const batch of rows) {
      if (nodeId === 'left') {
        await isComputing.promise
        await new Promise((resolve) => setTimeout(resolve, 300))
        throw new Error('The service is on fire.')
      }
      other = 'asked'
      await new Promise<void>((resolve) => ending?.addEventListener('abort', () => resolve(), { once: true }))
      // A request that must not be in doubt: all wait until it is answered.
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      other = 'settled'
      yield batch.map(({ key }) => ({ key, index: 0, status: 200, error: null, values: ['late'] }))
    }
  }
  const endless = 'SELECT sum(a.n * b.i) AS s FROM input a, range(10000000) b(i), range(10000) c(j)'
  const began = performance.now()
  const { outcome, told } = await run(endless, ask, {
    stepStarted: async (nodeId) => {
      if (nodeId === 'work') isComputing.resolve()
    }
  })
  expect(outcome).toMatchObject({ status: 'failed', nodeId: 'left' })
  expect(other).toBe('settled')
  expect(performance.now() - began).toBeLessThan(20_000)
  expect(told.artifacts).toEqual([])
  // The engine is the same and goes on.
  const next = await run(
    'SELECT 1 AS one',
    answering(async () => undefined)
  )
  expect(next.outcome).toEqual({ status: 'succeeded' })
})
