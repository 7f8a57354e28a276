import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startOpfsWorker, type OpfsWorker } from '../contract/opfs-client.ts'
import { MIGRATIONS, type Migration } from './migrations.ts'

const newest = MIGRATIONS.at(-1)?.version ?? 0
const step = (add: number, sql: string): Migration => ({ version: newest + add, name: `step ${add}`, sql })
const good = step(1, 'CREATE TABLE added (id TEXT) STRICT; INSERT INTO added SELECT id FROM events')
const failing = step(2, `DROP TABLE principals; INSERT INTO nowhere VALUES (1)`)
const endless = step(
  1,
  `DROP TABLE principals; CREATE TABLE filler AS
   WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, hex(randomblob(500)) AS x FROM n`
)
const copyOf = (version: number) => `/before-${version}.db`

let count = 0
let directory = ''
const workers: OpfsWorker[] = []
const start = (): OpfsWorker => {
  const worker = startOpfsWorker()
  workers.push(worker)
  return worker
}

/** A database of the released schema with something in it. */
beforeEach(async () => {
  directory = `migrate-${Date.now()}-${count++}`
  const context = await start().open(directory)
  for (let index = 0; index < 60; index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other, so that the file has many pages
    await context.eventStore.append({
      aggregateId: 'a:1',
      eventType: 'X',
      payload: { text: 'x'.repeat(2_000) }
    })
  }
  await context.blobStore.put({ key: 'large', data: new Uint8Array(100_000).fill(3) })
  await context.close()
})
afterEach(() => {
  for (const worker of workers.splice(0)) worker.end()
})

/** The code of before opens it, and all that was there is there. */
const expectUntouched = async (): Promise<void> => {
  const context = await start().open(directory)
  expect(await context.facts()).toMatchObject({ schemaVersion: newest, logPosition: 60 })
  expect(await context.projectionStore.query({ sql: 'SELECT count(*) AS count FROM principals' })).toEqual([
    { count: 0 }
  ])
  await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: {}, expectedSeq: 60 })
  expect((await context.blobStore.get({ key: 'large' }))?.data.byteLength).toBe(100_000)
  expect(await context.projectionStore.query({ sql: 'PRAGMA integrity_check' })).toEqual([
    { integrity_check: 'ok' }
  ])
  await context.close()
}

test('a copy is kept as the database was before it is migrated', async () => {
  const context = await start().open(directory, [good])
  expect(await context.facts()).toMatchObject({ schemaVersion: newest + 1 })
  expect(await context.projectionStore.query({ sql: 'SELECT count(*) AS count FROM added' })).toEqual([
    { count: 60 }
  ])
  await context.close()
  const { kept } = await start().look(directory)
  expect(kept).toMatchObject([
    { file: copyOf(newest + 1), kind: 'before-migration', schemaVersion: newest, logPosition: 60 }
  ])
  const names = await start().ask(
    directory,
    copyOf(newest + 1),
    'SELECT name FROM sqlite_schema ORDER BY name'
  )
  expect(names.map(({ name }) => name)).toContain('principals')
  expect(names.map(({ name }) => name)).not.toContain('added')
  expect(await start().ask(directory, copyOf(newest + 1), 'SELECT count(*) AS count FROM events')).toEqual([
    { count: 60 }
  ])
  expect(await start().ask(directory, copyOf(newest + 1), 'PRAGMA journal_mode')).toEqual([
    { journal_mode: 'delete' }
  ])
})

test('a step that fails leaves the old schema to the code of before, with every step of that start', async () => {
  const opening = start().open(directory, [good, failing])
  await expect(opening).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('step 2'),
    details: { reason: 'migration-failed', from: newest, to: newest + 2 }
  })
  await expect(opening).rejects.toThrow(/no such table: nowhere/)
  await expectUntouched()
})

test('the same failure again keeps one copy; what was written since is in the next', async () => {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one start after the other
    await expect(start().open(directory, [good, failing])).rejects.toThrow(/nowhere/)
  }
  const [first, ...others] = (await start().look(directory)).kept
  expect([first?.logPosition, others]).toEqual([60, []])
  await expectUntouched()
  await expect(start().open(directory, [good, failing])).rejects.toThrow(/nowhere/)
  expect((await start().look(directory)).kept).toMatchObject([{ logPosition: 61 }])
})

test('the last two copies are kept, the older ones go', async () => {
  const steps = [good, step(2, 'SELECT 1'), step(3, 'SELECT 1')]
  for (const [index] of steps.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one start after the other
    await (await start().open(directory, steps.slice(0, index + 1))).close()
  }
  const { kept, names } = await start().look(directory)
  expect(kept.map(({ file }) => file).toSorted()).toEqual([copyOf(newest + 2), copyOf(newest + 3)])
  expect(names).not.toContain(copyOf(newest + 1))
})

test('a worker that is killed in the middle of a migration leaves the old database', async () => {
  const dying = start()
  dying.open(directory, [endless]).catch(() => undefined)
  await vi.waitFor(async () => expect(await storedBytes()).toBeGreaterThan(20_000_000), 30_000)
  dying.end()
  await expectUntouched()
})

test('a worker that is killed in the middle of the copy leaves the old database, and no debris', async () => {
  const dying = start()
  await dying.leaveHalfCopy(directory, copyOf(newest + 1))
  dying.end()
  await expectUntouched()
  expect((await start().look(directory)).names).toEqual(['/flowforge.db'])
  await (await start().open(directory, [good])).close()
  expect((await start().look(directory)).kept).toHaveLength(1)
})

/** How much the folder of the databases takes; read while the worker has its files open. */
const storedBytes = async (): Promise<number> => {
  const root = await navigator.storage.getDirectory()
  const folder = await (await root.getDirectoryHandle(directory)).getDirectoryHandle('.opaque')
  let bytes = 0
  for await (const handle of folder.values()) {
    if (handle instanceof FileSystemFileHandle) bytes += (await handle.getFile()).size
  }
  return bytes
}
