import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { ALL_PROJECTIONS } from '../workflow/projections/all.ts'
import { workflowAggregate } from '../workflow/workflow/workflow.ts'
import { createAggregateStore, type AggregateStore } from './aggregate-store.ts'
import { createEventLog } from './event-log.ts'
import { systemWorld } from './world.ts'

const ID = 'workflow:w'
const { stateVersion } = workflowAggregate

describe('snapshots', () => {
  let context: DbContext
  let store: AggregateStore
  beforeEach(async () => {
    said = 0
    context = await openDbContext({ storage: 'memory', ...systemWorld })
    store = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS))
    await store.execute(workflowAggregate, ID, { type: 'CreateWorkflow', name: 'W' })
  })
  afterEach(() => context.close())

  let said = 0
  const describeTimes = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      said += 1
      await store.execute(workflowAggregate, ID, { type: 'DescribeWorkflow', description: `${said}` })
    }
  }
  const snapshot = () => context.eventStore.latestSnapshot({ aggregateId: ID })

  test('a loaded aggregate is the same with a snapshot and without', async () => {
    await describeTimes(120)
    expect(await snapshot()).toMatchObject({ lastSeq: 100, stateVersion })
    expect(await store.load(workflowAggregate, ID)).toMatchObject({
      seq: 121,
      state: { description: '120', name: 'W' }
    })
  })

  test('one of an older shape is ignored, and replaced when the next is due', async () => {
    const old = { aggregateId: ID, lastSeq: 2, state: { shape: 'of old' }, stateVersion: stateVersion - 1 }
    await describeTimes(1)
    await context.eventStore.saveSnapshot(old)
    expect(await store.load(workflowAggregate, ID)).toMatchObject({
      seq: 2,
      state: { name: 'W', description: '1', status: 'live' }
    })
    await describeTimes(97)
    expect(await snapshot()).toMatchObject(old)
    await describeTimes(1)
    expect(await snapshot()).toMatchObject({ lastSeq: 100, stateVersion, state: { name: 'W' } })
    expect(await store.load(workflowAggregate, ID)).toMatchObject({ seq: 100, state: { description: '99' } })
  })
})

describe('what leads to what', () => {
  test('events of one command share a correlation; those that follow from another name it', async () => {
    const context = await openDbContext({ storage: 'memory', ...systemWorld })
    const store = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS))
    const { cause } = await store
      .once('call')
      .execute(workflowAggregate, ID, { type: 'CreateWorkflow', name: 'W' })
    await store
      .causedBy(cause)
      .execute(workflowAggregate, ID, { type: 'PublishDraft' }, { type: 'StartDraft' })
    await store.execute(workflowAggregate, ID, { type: 'DescribeWorkflow', description: 'x' })
    const events = await context.eventStore.load({ aggregateId: ID })
    expect(events.map(({ causedByEventId }) => causedByEventId)).toEqual([null, 'call/0', 'call/0', null])
    const correlations = events.map(({ metadata }) => metadata?.['correlation_id'])
    expect(correlations.slice(0, 3)).toEqual(['call', 'call', 'call'])
    expect(correlations[3]).toEqual(expect.stringMatching(/^(?!call$)./))
    await context.close()
  })
})
