import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { ALL_PROJECTIONS } from '../workflow/projections/all.ts'
import { workflowAggregate } from '../workflow/workflow/workflow.ts'
import { createAggregateStore } from './aggregate-store.ts'
import { createEventLog } from './event-log.ts'
import { createOnce } from './once.ts'
import { systemWorld } from './world.ts'

let context: DbContext
beforeEach(async () => {
  context = await openDbContext({ storage: 'memory', ...systemWorld })
})
afterEach(() => context.close())

test('a command that is sent again under its id is not carried out again', async () => {
  const store = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS))
  await store.execute(workflowAggregate, 'workflow:w', { type: 'CreateWorkflow', name: 'W' })
  const describe = (callId: string, description: string) =>
    store.once(callId).execute(workflowAggregate, 'workflow:w', { type: 'DescribeWorkflow', description })
  await describe('call-1', 'first')
  await describe('call-2', 'second')
  expect((await describe('call-1', 'first')).state).toMatchObject({ description: 'second' })
  expect(await context.eventStore.load({ aggregateId: 'workflow:w' })).toHaveLength(3)
})

test('a write without an event lands once, and one that failed may be sent again', async () => {
  const once = createOnce(context, systemWorld)
  let landed = 0
  const fail = once('call-1', async () => {
    throw new Error('no')
  })
  await expect(fail).rejects.toThrow('no')
  const land = () =>
    once('call-1', async () => {
      landed += 1
    })
  await land()
  await land()
  expect(landed).toBe(1)
})

test('a command that changed nothing is not decided anew when it is sent again', async () => {
  const store = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS))
  const describe = (callId: string, description: string) =>
    store.once(callId).execute(workflowAggregate, 'workflow:w', { type: 'DescribeWorkflow', description })
  await store.execute(workflowAggregate, 'workflow:w', { type: 'CreateWorkflow', name: 'W' })
  await describe('call-1', 'first')
  await describe('call-2', 'first')
  await describe('call-3', 'second')
  expect((await describe('call-2', 'first')).state).toMatchObject({ description: 'second' })
})
