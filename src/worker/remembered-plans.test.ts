import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import type { Graph } from '../workflow/graph.ts'
import type { Plan } from '../workflow/plan-types.ts'
import type { Planning } from './planning.ts'
import { rememberPlans } from './remembered-plans.ts'
import { systemWorld } from './world.ts'

const GRAPH: Graph = { nodes: [], edges: [], parameters: {} }
const MOMENT = { clock: '2026-01-02T03:04:05.000Z', seed: 's' }

let context: DbContext
/** How often a plan was made. */
let made: number
let planning: Planning
/** What happens while a plan is being made. */
let meanwhile: () => Promise<unknown>

beforeEach(async () => {
  context = await openDbContext({ storage: 'memory', ...systemWorld })
  made = 0
  meanwhile = async () => undefined
  planning = rememberPlans(context, {
    check: () => Promise.reject(new Error('nobody asks')),
    plan: async (_graph, { parameters = {}, moment }) => {
      made += 1
      await meanwhile()
      const plan: Plan = {
        relations: [],
        shared: [],
        sinks: [],
        steps: [],
        wanted: [],
        parameters: { ...parameters, ...(moment && { 'run.time': moment.clock }) }
      }
      return { plan, sources: new Map(), resolved: GRAPH, used: [] }
    }
  })
})
afterEach(() => context.close())

const addSource = () =>
  context.projectionStore.upsert({
    table: 'data_sources',
    rows: [
      { id: crypto.randomUUID(), kind: 'csv', name: crypto.randomUUID(), config_json: {}, created_at: 'now' }
    ]
  })

test('the same is planned once, whatever runs write, and for another moment with its values', async () => {
  const first = await planning.plan(GRAPH, { parameters: { a: 1 }, moment: MOMENT })
  await context.eventStore.append({ aggregateId: 'run:1', eventType: 'T', payload: {} })
  await context.blobStore.put({ key: 'artifacts/a', data: new Blob(['x']) })
  const later = { clock: '2026-02-03T04:05:06.000Z', seed: 't' }
  const second = await planning.plan(GRAPH, { moment: later, parameters: { a: 1 }, until: undefined })
  expect(made).toBe(1)
  expect(first.plan.parameters).toEqual({ a: 1, 'run.time': MOMENT.clock })
  expect(second.plan.parameters).toEqual({ a: 1, 'run.time': later.clock })
  expect(await planning.plan(GRAPH, { parameters: { a: 1 } })).toMatchObject({
    plan: { parameters: { a: 1 } }
  })
  expect(made).toBe(2)
})

test('something else is planned for itself', async () => {
  const asked: Parameters<Planning['plan']>[1][] = [
    {},
    { parameters: { a: 1 } },
    { until: 'n' },
    { rejecting: new Set(['n']) },
    { rejecting: new Set(['m']) },
    { onRowError: 'fail' },
    { rowIds: true },
    { usesPins: true },
    { inputs: [] },
    { items: [] },
    { moment: MOMENT }
  ]
  for (const each of [...asked, ...asked]) await planning.plan(GRAPH, each)
  // More than are kept at a time: none is there any more when it is asked for again.
  expect(made).toBe(2 * asked.length)
  await planning.plan({ ...GRAPH, parameters: { a: { type: 'text' } } }, { moment: MOMENT })
  expect(made).toBe(2 * asked.length + 1)
})

test('a change of what plans are made from makes them anew, also one that comes while a plan is being made', async () => {
  await planning.plan(GRAPH, {})
  await addSource()
  meanwhile = addSource
  await planning.plan(GRAPH, {})
  meanwhile = async () => undefined
  await planning.plan(GRAPH, {})
  expect(made).toBe(3)
  await planning.plan(GRAPH, {})
  expect(made).toBe(3)
})
