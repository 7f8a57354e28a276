import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryExportFiles } from '../../db/backup/export-files.ts'
import { memoryFileStore } from '../../db/blobs/memory-file-store.ts'
import type { DbContext } from '../../db/ports.ts'
import { openRescueIn } from '../../db/salvage/rescue.ts'
import { openMemoryFiles } from '../../db/sqlite/open-database.ts'
import { openContextIn, type StoragePlace } from '../../db/sqlite/sqlite-context.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { runAggregate } from '../../workflow/run/run.ts'
import { workflowAggregate } from '../../workflow/workflow/workflow.ts'
import { createAggregateStore } from '../aggregate-store.ts'
import { dumpRows, type Dump } from '../contract/random-history.ts'
import { createEventLog } from '../event-log.ts'
import { systemWorld } from '../world.ts'
import { createDirectWrites } from './direct-writes.ts'
import { startProjections } from './projections.ts'

const options = { storage: 'memory', ...systemWorld } as const
let place: StoragePlace
let end: () => void

beforeEach(async () => {
  const databases = await openMemoryFiles()
  end = databases.close
  place = {
    databases: { ...databases, close: () => undefined },
    blobs: memoryFileStore(),
    exports: memoryExportFiles()
  }
})
afterEach(() => end())

const storeOver = (context: DbContext) =>
  createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS))
const rowsOf = (context: DbContext): Promise<Dump> =>
  dumpRows((sql) => context.projectionStore.query({ sql }))

/** Opens storage, has the read models follow the log, and closes it. */
const during = async <T>(
  work: (context: DbContext, projections: Awaited<ReturnType<typeof startProjections>>) => Promise<T>
): Promise<T> => {
  const context = await openContextIn(place, options)
  const projections = await startProjections({
    context,
    definitions: ALL_PROJECTIONS,
    world: systemWorld,
    wait: () => Promise.resolve()
  })
  try {
    return await work(context, projections)
  } finally {
    await projections.stop()
    await context.close()
  }
}

const breakIt = async (sql: string): Promise<void> => {
  const database = await place.databases.open('/flowforge.db')
  database.script(`UPDATE schema_migrations SET checksum = 'other'; ${sql}`)
  database.close()
  await expect(openContextIn(place, options)).rejects.toMatchObject({ code: 'CORRUPT' })
}

const work = (): Promise<Dump> =>
  during(async (context, projections) => {
    const store = storeOver(context)
    await store.execute(workflowAggregate, 'workflow:w', { type: 'CreateWorkflow', name: 'W' })
    await store.execute(workflowAggregate, 'workflow:w', { type: 'PublishDraft' })
    for (const id of ['run:p', 'run:q']) {
      const facts = { workflowId: 'workflow:w', workflowVersionId: 'workflow:w@1', version: 1 }
      const queue = { ...facts, workflowName: 'W', trigger: 'manual', parameters: {} } as const
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as they happened
      await store.execute(runAggregate, id, { type: 'QueueRun', ...queue })
      // oxlint-disable-next-line no-await-in-loop -- the same
      await store.execute(runAggregate, id, { type: 'StartRun', manifest: {} })
      // oxlint-disable-next-line no-await-in-loop -- the same
      await store.execute(runAggregate, id, { type: 'SucceedRun' })
    }
    const row = { id: 'mine', name: 'Put in by a script', created_at: '2026-01-01T00:00:00.000Z' }
    const writes = createDirectWrites(ALL_PROJECTIONS, systemWorld.now)
    await writes.upsert(context, {
      table: 'workflows',
      rows: [{ ...row, updated_at: row.created_at }]
    })
    await projections.settled()
    await writes.upsert(context, { table: 'workflow_runs', rows: [{ id: 'run:p', status: 'failed' }] })
    return rowsOf(context)
  })

const salvage = async () => {
  const rescue = await openRescueIn(place, options)
  try {
    return await rescue.salvage()
  } finally {
    rescue.close()
  }
}

test('over a salvaged database the read models are rebuilt: what scripts wrote is there, and is the last word', async () => {
  const before = await work()
  await breakIt('')
  const report = await salvage()
  expect(report.tables.find(({ name }) => name === 'workflow_runs')?.rows).toBeGreaterThan(0)
  await during(async (context, projections) => {
    await projections.settled()
    expect(await rowsOf(context)).toEqual(before)
    expect(await projections.list()).toEqual(
      ALL_PROJECTIONS.map(({ name }) => expect.objectContaining({ name, state: 'running', lag: 0 }))
    )
    // Streams go on where they ended.
    await storeOver(context).execute(workflowAggregate, 'workflow:w', { type: 'StartDraft' })
    expect(await context.eventStore.load({ aggregateId: 'workflow:w' })).toMatchObject([
      { seq: 1 },
      { seq: 2 },
      { seq: 3 }
    ])
  })
})

test('rows of read models that were lost come back from the log', async () => {
  const before = await work()
  await breakIt('PRAGMA foreign_keys = OFF; DELETE FROM runs; DELETE FROM workflow_runs;')
  await salvage()
  await during(async (context, projections) => {
    await projections.settled()
    expect(await rowsOf(context)).toEqual(before)
  })
})
