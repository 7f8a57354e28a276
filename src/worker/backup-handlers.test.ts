import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { createBackupHandlers } from './backup-handlers.ts'
import { createBackupJobs } from './backups/jobs.ts'
import { memoryBackupNotes } from './backups/notes.ts'
import { startScheduledBackups, type ScheduledBackups } from './backups/scheduled.ts'
import { systemWorld } from './world.ts'

let context: DbContext
let scheduled: ScheduledBackups
let replaced: number
let backup: ReturnType<typeof createBackupHandlers>

beforeEach(async () => {
  context = await openDbContext({ storage: 'memory', ...systemWorld })
  const [jobs, notes] = [createBackupJobs(), memoryBackupNotes()]
  const { now } = systemWorld
  scheduled = startScheduledBackups({ context, notes, jobs, now, isRunning: () => false })
  replaced = 0
  backup = createBackupHandlers({ context, jobs, notes, scheduled, onReplaced: () => (replaced += 1) })
  await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
})
afterEach(async () => {
  await scheduled.stop()
  await context.close()
})

const beginRun = () =>
  context.projectionStore.upsert({
    table: 'runs',
    rows: [
      {
        id: 'run:1',
        workflow_version_id: 'workflow:w@1',
        trigger: 'manual',
        status: 'running',
        created_at: systemWorld.now()
      }
    ]
  })
const refused = { code: 'CONFLICT', message: expect.stringContaining('A run is under way') }

test('no backup takes the place of a database in which a run is under way, or was begun while the backup was read in', async () => {
  const file = await backup.create(undefined)
  const restoring = backup.restore(file)
  while ((await backup.status(undefined)).progress === null) {
    // oxlint-disable-next-line no-await-in-loop -- until it has begun to read
    await new Promise((resolve) => setTimeout(resolve))
  }
  await beginRun()
  await expect(restoring).rejects.toMatchObject(refused)
  await expect(backup.restore(file)).rejects.toMatchObject(refused)
  expect(replaced).toBe(0)
  expect((await context.facts()).logPosition).toBe(1)
})

test('nor in which one was begun while it was being put in place', async () => {
  const file = await backup.create(undefined)
  const { inspectionId } = await backup.inspect({ file })
  const { restore } = context.backup
  // Just before it asks whether it is still wanted.
  Object.assign(context.backup, {
    restore: (...[id, onSwap, job, isWanted]: Parameters<typeof restore>) =>
      restore(id, onSwap, job, async () => {
        await beginRun()
        await isWanted?.()
      })
  })
  await expect(backup.restore({ inspectionId })).rejects.toMatchObject(refused)
  expect(replaced).toBe(0)
  await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {} })
  expect((await context.facts()).logPosition).toBe(2)
})

test('a restore can be canceled from its beginning, also where there are no large blobs to be written', async () => {
  const { inspectionId } = await backup.inspect({ file: await backup.create(undefined) })
  const { restore } = context.backup
  Object.assign(context.backup, {
    restore: (...[id, onSwap, job, isWanted]: Parameters<typeof restore>) => {
      const onProgress: typeof job.onProgress = (progress) => {
        job.onProgress?.(progress)
        void backup.cancel(undefined)
      }
      return restore(id, onSwap, { ...job, onProgress }, isWanted)
    }
  })
  await expect(backup.restore({ inspectionId })).rejects.toMatchObject({ code: 'CANCELED' })
  expect(replaced).toBe(0)
})
