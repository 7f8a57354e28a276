import { expect, test } from 'vitest'
import { memoryExportFiles } from '../../db/backup/export-files.ts'
import { memoryFileStore } from '../../db/blobs/memory-file-store.ts'
import type { DbContext } from '../../db/ports.ts'
import { openMemoryFiles } from '../../db/sqlite/open-database.ts'
import { openContextIn, type StoragePlace } from '../../db/sqlite/sqlite-context.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { workflowAggregate } from '../../workflow/workflow/workflow.ts'
import { createAggregateStore } from '../aggregate-store.ts'
import { dumpRows } from '../contract/random-history.ts'
import { createEventLog } from '../event-log.ts'
import { systemWorld } from '../world.ts'
import { startProjections } from './projections.ts'

test('a rebuild that was under way when a backup was made begins anew where it is restored', async () => {
  const databases = await openMemoryFiles()
  const place: StoragePlace = {
    databases: { ...databases, close: () => undefined },
    blobs: memoryFileStore(),
    exports: memoryExportFiles()
  }
  const open = () => openContextIn(place, { storage: 'memory', ...systemWorld })
  const start = (context: DbContext) =>
    startProjections({
      context,
      definitions: ALL_PROJECTIONS,
      world: systemWorld,
      wait: () => Promise.resolve()
    })
  const rowsOf = (context: DbContext) => dumpRows((sql) => context.projectionStore.query({ sql }))

  const before = await open()
  const store = createAggregateStore(before, createEventLog(before, ALL_PROJECTIONS))
  await store.execute(workflowAggregate, 'workflow:w', { type: 'CreateWorkflow', name: 'W' })
  const following = await start(before)
  await following.settled()
  const rows = await rowsOf(before)
  // Each is asked for and begun, and none is filled yet, when the program ends.
  const rebuilding = following.rebuild()
  rebuilding.catch(() => undefined)
  await following.stop()
  const [begun] = await before.projectionStore.query({
    sql: 'SELECT count(*) AS n FROM projection_states WHERE rebuild_version IS NOT NULL'
  })
  expect(Number(begun?.['n'])).toBeGreaterThan(0)
  const { file } = await before.backup.create({})
  const { id } = await before.backup.stage(file, {})
  await before.backup.restore(id, () => undefined, {})
  await before.close()

  const after = await open()
  const projections = await start(after)
  await projections.settled()
  expect(await projections.list()).toEqual(
    ALL_PROJECTIONS.map(({ name }) => expect.objectContaining({ name, state: 'running', lag: 0 }))
  )
  expect(await rowsOf(after)).toEqual(rows)
  await projections.stop()
  await after.close()
  databases.close()
})
