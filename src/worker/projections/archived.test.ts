import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { memoryExportFiles } from '../../db/backup/export-files.ts'
import { memoryFileStore } from '../../db/blobs/memory-file-store.ts'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { openMemoryFiles } from '../../db/sqlite/open-database.ts'
import { openContextIn } from '../../db/sqlite/sqlite-context.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { workflowAggregate } from '../../workflow/workflow/workflow.ts'
import { runAggregate } from '../../workflow/run/run.ts'
import { createAggregateStore } from '../aggregate-store.ts'
import { endInterruptedRuns } from '../runs/interrupted.ts'
import { dumpRows, happen, happenings, type Dump } from '../contract/random-history.ts'
import { createEventLog } from '../event-log.ts'
import { systemWorld } from '../world.ts'
import { createDirectWrites } from './direct-writes.ts'
import { createHistory } from './past.ts'
import { startProjections } from './projections.ts'
import { headOf } from './replay.ts'

const never = (): Promise<void> => new Promise(() => undefined)

const partsOver = (context: DbContext) => ({
  context,
  store: createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS)),
  directWrites: createDirectWrites(ALL_PROJECTIONS, systemWorld.now)
})
const startOver = (context: DbContext) =>
  startProjections({
    context,
    definitions: ALL_PROJECTIONS,
    world: systemWorld,
    wait: () => Promise.resolve()
  })

const rowsNow = (context: DbContext): Promise<Dump> =>
  dumpRows((sql) => context.projectionStore.query({ sql }))
const readLog = (context: DbContext) => context.eventStore.readAll({ limit: 100_000 })

const archiveAll = async (context: DbContext): Promise<void> => {
  const events = await readLog(context)
  await context.archive.move({ aggregateIds: events.map(({ aggregateId }) => aggregateId) })
}
const bringBackLast = async (context: DbContext): Promise<void> => {
  const [segment] = await context.archive.list()
  if (segment !== undefined) await context.archive.bringBack({ segmentId: segment.id })
}

test('for any history, archived and brought back at any time: commands, rows, rebuilt rows and the past are the same', async () => {
  const history = fc.tuple(
    happenings,
    fc.array(fc.constantFrom('none', 'none', 'archive', 'bring back'), { minLength: 40, maxLength: 40 })
  )
  await fc.assert(
    fc.asyncProperty(history, async ([happened, moves]) => {
      const context = await openDbContext({ storage: 'memory', ...systemWorld })
      const parts = partsOver(context)
      const projections = await startOver(context)
      await parts.store.execute(workflowAggregate, 'workflow:w', { type: 'CreateWorkflow', name: 'W' })
      await parts.store.execute(workflowAggregate, 'workflow:v', { type: 'CreateWorkflow', name: 'V' })
      /** Each event as it was read when it had just come. */
      const log = new Map<number, unknown>()
      const noteLog = async (): Promise<void> => {
        for (const event of await readLog(context)) {
          if (!log.has(event.position)) log.set(event.position, event)
        }
      }
      await noteLog()
      for (const [index, each] of happened.entries()) {
        // What is refused must be refused for the aggregate's reasons, not for want of its events.
        await happen(parts, each).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'FlowForgeError' })
          expect(error).not.toMatchObject({ code: 'INTERNAL' })
        })
        await noteLog()
        if (moves[index] === 'archive') await archiveAll(context)
        if (moves[index] === 'bring back') await bringBackLast(context)
      }
      expect(await readLog(context)).toEqual([...log.values()])
      await projections.settled()
      const followed = await rowsNow(context)
      const past = createHistory({ context, definitions: ALL_PROJECTIONS, wait: never })
      const rowsAt = (position: number): Promise<Dump> =>
        dumpRows(async (sql) => (await past.stateAt({ position, sql })).rows)
      const half = Math.floor((await headOf(context)) / 2)
      const then = await rowsAt(half)

      await archiveAll(context)
      expect(await readLog(context)).toEqual([...log.values()])
      await past.forget()
      expect(await rowsAt(half)).toEqual(then)
      expect(await rowsAt(Number.MAX_SAFE_INTEGER)).toEqual(followed)
      await projections.rebuild()
      expect(await rowsNow(context)).toEqual(followed)

      while ((await context.archive.list()).length > 0) await bringBackLast(context)
      expect(await context.projectionStore.query({ sql: 'SELECT count(*) AS n FROM events' })).toEqual([
        { n: log.size }
      ])
      expect(await readLog(context)).toEqual([...log.values()])
      expect(await context.log.verify()).toMatchObject({ isIntact: true })
      await past.forget()
      await projections.stop()
      await context.close()
    }),
    { numRuns: 30 }
  )
}, 120_000)

test('a rebuild that comes to a damaged segment stands still there, names it, and goes on when it is told to', async () => {
  const blobs = memoryFileStore()
  let isBroken = false
  const context = await openContextIn(
    {
      databases: await openMemoryFiles(),
      blobs: { ...blobs, open: async (name) => (isBroken ? null : blobs.open(name)) },
      exports: memoryExportFiles()
    },
    { storage: 'memory', ...systemWorld }
  )
  const parts = partsOver(context)
  await parts.store.execute(workflowAggregate, 'workflow:w', { type: 'CreateWorkflow', name: 'W' })
  await parts.store.execute(workflowAggregate, 'workflow:v', { type: 'CreateWorkflow', name: 'V' })
  const projections = await startOver(context)
  await projections.settled()
  const before = await rowsNow(context)
  const [segment] = await context.archive.move({ aggregateIds: ['workflow:w'] })
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined)

  isBroken = true
  await expect(projections.rebuild('workflows')).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining(String(segment?.fileName))
  })
  expect((await projections.list()).find(({ name }) => name === 'workflows')).toMatchObject({
    state: 'parked',
    parked: { eventId: null, error: expect.stringContaining('workflow:w') }
  })
  expect(await rowsNow(context)).toEqual(before)
  expect(warned).toHaveBeenCalled()
  const past = createHistory({ context, definitions: ALL_PROJECTIONS, wait: never })
  const asked = past.stateAt({ position: 9, sql: 'SELECT * FROM workflows' })
  await expect(asked).rejects.toMatchObject({ code: 'CORRUPT', details: { fileName: segment?.fileName } })

  isBroken = false
  await projections.retry('workflows')
  await projections.settled()
  expect((await projections.list()).find(({ name }) => name === 'workflows')).toMatchObject({
    state: 'running'
  })
  expect(await rowsNow(context)).toEqual(before)
  await past.forget()
  await projections.stop()
  await context.close()
})

test('a run that was cut off and begins in a damaged segment keeps nothing else from starting', async () => {
  const blobs = memoryFileStore()
  let isBroken = false
  const databases = await openMemoryFiles()
  const open = () =>
    openContextIn(
      {
        databases: { ...databases, close: () => undefined },
        blobs: { ...blobs, open: async (name) => (isBroken ? null : blobs.open(name)) },
        exports: memoryExportFiles()
      },
      { storage: 'memory', ...systemWorld }
    )
  let context = await open()
  const { store } = partsOver(context)
  const queue = {
    type: 'QueueRun',
    workflowId: 'workflow:w',
    workflowVersionId: 'workflow:w@1',
    version: 1,
    workflowName: 'W',
    trigger: 'manual',
    parameters: {}
  } as const
  await store.execute(runAggregate, 'run:1', queue)
  await store.execute(runAggregate, 'run:1', { type: 'FailRun', error: { message: 'broken' } })
  await store.execute(runAggregate, 'run:2', queue)
  await context.archive.move({ aggregateIds: ['run:1'] })
  await store.execute(runAggregate, 'run:1', { type: 'ResumeRun' })
  const told = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  await context.close()
  isBroken = true
  context = await open()
  expect(await endInterruptedRuns(context, partsOver(context).store)).toBe(1)
  expect(told).toHaveBeenCalledWith(
    expect.stringContaining('run:1'),
    expect.objectContaining({ code: 'CORRUPT' })
  )
  isBroken = false
  expect(await endInterruptedRuns(context, partsOver(context).store)).toBe(1)
  const rows = await context.projectionStore.query({ sql: 'SELECT id, status FROM runs ORDER BY id' })
  expect(rows).toEqual([
    { id: 'run:1', status: 'failed' },
    { id: 'run:2', status: 'failed' }
  ])
  told.mockRestore()
  await context.close()
  databases.close()
})

test('a call that is sent again lands once, although what it stored is archived', async () => {
  const context = await openDbContext({ storage: 'memory', ...systemWorld })
  const { store } = partsOver(context)
  const create = { type: 'CreateWorkflow', name: 'W' } as const
  await store.once('call').execute(workflowAggregate, 'workflow:w', create)
  await store.execute(workflowAggregate, 'workflow:v', { type: 'CreateWorkflow', name: 'V' })
  await archiveAll(context)
  expect(await store.once('call').wasCarriedOut()).toBe(true)
  expect(await store.once('call').execute(workflowAggregate, 'workflow:w', create)).toMatchObject({
    seq: 1,
    state: { name: 'W' }
  })
  await expect(store.execute(workflowAggregate, 'workflow:w', create)).rejects.toMatchObject({
    details: { reason: 'workflow-exists' }
  })
  await context.close()
})
