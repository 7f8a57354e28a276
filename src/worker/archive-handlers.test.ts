import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { ALL_PROJECTIONS } from '../workflow/projections/all.ts'
import { runAggregate } from '../workflow/run/run.ts'
import { workflowAggregate } from '../workflow/workflow/workflow.ts'
import { createAggregateStore, type AggregateStore } from './aggregate-store.ts'
import type { FlowForgeApi } from './api.ts'
import { createArchiveHandlers } from './archive-handlers.ts'
import { createEventLog } from './event-log.ts'
import { systemWorld } from './world.ts'

let context: DbContext
let store: AggregateStore
let archive: FlowForgeApi['archive']
let now = '2026-01-01T00:00:00.000Z'
beforeEach(async () => {
  context = await openDbContext({ storage: 'memory', newId: systemWorld.newId, now: () => now })
  store = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS))
  archive = createArchiveHandlers(context)
})
afterEach(() => context.close())

const run = async (id: string, isOver = true): Promise<void> => {
  await store.execute(runAggregate, id, {
    type: 'QueueRun',
    workflowId: 'workflow:w',
    workflowVersionId: 'workflow:w@1',
    version: 1,
    workflowName: 'W',
    trigger: 'manual',
    parameters: {}
  })
  await store.execute(runAggregate, id, { type: 'StartRun', manifest: {} })
  if (isOver) await store.execute(runAggregate, id, { type: 'SucceedRun' })
}
const workflow = (id: string) => store.execute(workflowAggregate, id, { type: 'CreateWorkflow', name: id })

test('what has ended is archived, and nothing else', async () => {
  await workflow('workflow:kept')
  await workflow('workflow:removed')
  await store.execute(workflowAggregate, 'workflow:removed', { type: 'RemoveWorkflow' })
  await run('run:ended')
  await run('run:going', false)
  await context.eventStore.append({ aggregateId: 'thermometer:1', eventType: 'RunSucceeded', payload: {} })
  await workflow('workflow:last')

  const preview = await archive.preview()
  expect(preview).toMatchObject({ streams: { run: 1, workflow: 1 }, events: 5 })
  expect(preview.bytes).toBeGreaterThan(500)
  const { segments } = await archive.create()
  expect(segments).toMatchObject([{ events: 5, streams: 2 }])
  const left = await context.projectionStore.query({
    sql: 'SELECT aggregate_id AS id FROM events GROUP BY 1 ORDER BY max(position)'
  })
  expect(left.map(({ id }) => id)).toEqual(['workflow:kept', 'run:going', 'thermometer:1', 'workflow:last'])
  expect(await archive.preview()).toEqual({ streams: {}, events: 0, bytes: 0 })
  expect(await archive.create()).toEqual({ segments: [] })
  expect(await archive.list()).toEqual({ segments, progress: null })
  expect(await archive.verify()).toEqual({ findings: [], segments: 1 })
  await archive.restore({ segmentId: segments[0]?.id ?? 0 })
  expect((await archive.preview()).events).toBe(5)
})

test('a run that failed, was archived and is resumed goes on where it was, and is archived again', async () => {
  await run('run:1', false)
  await store.execute(runAggregate, 'run:1', { type: 'FailRun', error: { message: 'broken' } })
  await workflow('workflow:w')
  await archive.create()
  const resumed = await store.execute(runAggregate, 'run:1', { type: 'ResumeRun' })
  expect(resumed).toMatchObject({ seq: 4, state: { status: 'running', error: null } })
  expect((await archive.preview()).events).toBe(0)
  await store.execute(runAggregate, 'run:1', { type: 'SucceedRun' })
  await workflow('workflow:v')
  await archive.create()
  const events = await context.eventStore.load({ aggregateId: 'run:1' })
  expect(events.map(({ seq, eventType }) => [seq, eventType])).toEqual([
    [1, 'RunQueued'],
    [2, 'RunStarted'],
    [3, 'RunFailed'],
    [4, 'RunResumed'],
    [5, 'RunSucceeded']
  ])
  expect((await archive.list()).segments.map(({ events: count }) => count)).toEqual([2, 3])
})

test('a stream that holds the log’s newest event waits for the next', async () => {
  await run('run:1')
  expect(await archive.preview()).toMatchObject({ streams: {}, events: 0 })
  await workflow('workflow:w')
  expect(await archive.preview()).toMatchObject({ streams: { run: 1 }, events: 3 })
})

test('what ended too late is left', async () => {
  await run('run:old')
  now = '2026-02-01T00:00:00.000Z'
  await run('run:new')
  await workflow('workflow:w')
  expect(await archive.preview({ endedBefore: '2026-01-15T00:00:00.000Z' })).toMatchObject({
    streams: { run: 1 }
  })
  const { segments } = await archive.create({ endedBefore: '2026-01-15T00:00:00.000Z' })
  expect(segments).toMatchObject([{ streams: 1, lastEventAt: '2026-01-01T00:00:00.000Z' }])
  await expect(archive.preview({ endedBefore: 'yesterday' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
})
