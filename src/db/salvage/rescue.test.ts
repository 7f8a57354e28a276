import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryExportFiles } from '../backup/export-files.ts'
import { openShelf } from '../backup/shelf.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { testWorld } from '../contract/store-contract.ts'
import { FlowForgeError } from '../flowforge-error.ts'
import type { DbContext, SalvageProgress } from '../ports.ts'
import { MIGRATIONS, NEWEST_SCHEMA } from '../migrations/migrations.ts'
import { copyDatabase } from '../sqlite/copy-database.ts'
import { openMemoryFiles } from '../sqlite/open-database.ts'
import { openContextIn, type StoragePlace } from '../sqlite/sqlite-context.ts'
import { openRescueIn } from './rescue.ts'

const world = testWorld()
const options = { storage: 'memory', ...world } as const
let place: StoragePlace
let end: () => void

/** The files outlive whoever opens them, as they do on a disk. */
beforeEach(async () => {
  const databases = await openMemoryFiles()
  end = databases.close
  place = {
    databases: { ...databases, close: () => undefined },
    blobs: memoryFileStore(),
    exports: memoryExportFiles()
  }
  const context = await openContextIn(place, options)
  await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: { text: 'kept' } })
  await context.blobStore.put({ key: 'large', data: new Uint8Array(600_000).fill(7) })
  await context.close()
})
afterEach(() => end())

const reopened = async <T>(work: (context: DbContext) => Promise<T>): Promise<T> => {
  const context = await openContextIn(place, options)
  try {
    return await work(context)
  } finally {
    await context.close()
  }
}
/** A step that was exchanged keeps the database from opening, although all of it can be read. */
const breakIt = async (): Promise<void> => {
  const database = await place.databases.open('/flowforge.db')
  database.script(`UPDATE schema_migrations SET checksum = 'other'`)
  database.close()
  await expect(reopened(async () => undefined)).rejects.toMatchObject({ code: 'CORRUPT' })
}

test('what is readable takes the place of what does not open, which is kept with every blob', async () => {
  await breakIt()
  const rescue = await openRescueIn(place, options)
  const [copy, ...others] = rescue.copies()
  expect(copy).toMatchObject({ file: '/flowforge.db', kind: 'current', createdAt: null })
  expect(others).toEqual([])
  const saved = await rescue.save('/flowforge.db')
  expect(saved.size).toBe(copy?.bytes)
  expect(await saved.slice(0, 15).text()).toBe('SQLite format 3')
  await expect(rescue.save('/other.db')).rejects.toThrow('There is no file')
  const heard: SalvageProgress[] = []
  const report = await rescue.salvage((progress) => heard.push(progress))
  expect(heard[0]).toMatchObject({ table: 'events', tablesDone: 0, rows: 0 })
  expect(heard.at(-1)?.rows).toBe(report.tables.reduce((sum, { rows, refused }) => sum + rows + refused, 0))
  expect(report.tables.find(({ name }) => name === 'events')).toMatchObject({ rows: 1, lost: [] })
  await reopened(async (context) => {
    expect(await context.eventStore.load({ aggregateId: 'a:1' })).toMatchObject([
      { payload: { text: 'kept' } }
    ])
    expect((await context.blobStore.get({ key: 'large' }))?.data.byteLength).toBe(600_000)
    expect(context.backup.kept()).toMatchObject([
      { file: '/flowforge.db', kind: 'damaged', bytes: saved.size }
    ])
    const { file, summary } = await context.backup.saveKept('/flowforge.db', {})
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(new Uint8Array(await saved.arrayBuffer()))
    expect(summary).toBeNull()
    expect(context.backup.place()).toEqual({ generation: 1, problem: null })
    const [stored] = await context.projectionStore.query({ sql: 'SELECT report_json FROM health_reports' })
    expect(JSON.parse(String(stored?.['report_json']))).toEqual(report)
    await context.blobStore.remove({ key: 'large' })
  })
  // The damaged file may be all that names it.
  expect(await place.blobs.names()).toHaveLength(1)
})

test('a backup takes its place, and one that is none leaves all as it is', async () => {
  const { file } = await reopened((context) => context.backup.create({}))
  await breakIt()
  const rescue = await openRescueIn(place, options)
  await expect(rescue.restore(new Blob(['a,b']))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  expect(await rescue.restore(file)).toMatchObject({ events: 1, blobs: 1 })
  await reopened(async (context) => {
    expect(await context.eventStore.load({ aggregateId: 'a:1' })).toHaveLength(1)
    expect(context.backup.kept()).toMatchObject([{ kind: 'damaged' }])
  })
})

test('a whole database of a newer schema is not salvaged by an older FlowForge, which would leave columns behind', async () => {
  const database = await place.databases.open('/flowforge.db')
  database.script(`INSERT INTO schema_migrations VALUES (9999, 'later', 'x', '2026-01-01T00:00:00.000Z')`)
  database.close()
  await expect(reopened(async () => undefined)).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
  const rescue = await openRescueIn(place, options)
  await expect(rescue.salvage()).rejects.toMatchObject({ code: 'NOT_ALLOWED', details: { found: 9999 } })
  expect(rescue.copies()).toMatchObject([{ file: '/flowforge.db', kind: 'current' }])
})

const ledger = async (work: (database: Awaited<ReturnType<typeof place.databases.open>>) => void) => {
  const database = await place.databases.open('/shelf.db')
  work(database)
  database.close()
}
/** What stands there is no ledger any more. */
const breakLedger = async (): Promise<void> => {
  await ledger((database) =>
    database.script('DROP TABLE IF EXISTS current; CREATE VIEW current AS SELECT 1 AS file')
  )
  await expect(reopened(async () => undefined)).rejects.toMatchObject({ code: 'CORRUPT' })
}
const restoreOld = async (): Promise<void> => {
  const { file } = await reopened((context) => context.backup.create({}))
  await reopened(async (context) => {
    await context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: { text: 'taken back' } })
    const { id } = await context.backup.stage(file, {})
    await context.backup.restore(id, () => undefined, {})
  })
}
const texts = () =>
  reopened(async (context) =>
    (await context.eventStore.load({ aggregateId: 'a:1' })).map(({ payload }) => payload['text'])
  )

test('the newest database is found where the record of it is damaged; every other file stays', async () => {
  await restoreOld()
  await reopened((context) =>
    context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: { text: 'after' } })
  )
  await breakLedger()
  const rescue = await openRescueIn(place, options)
  expect(rescue.copies().map(({ file, kind }) => [file, kind])).toEqual([
    ['/flowforge.db', 'unlisted'],
    ['/restored-1.db', 'unlisted']
  ])
  await expect(rescue.salvage()).rejects.toMatchObject({ code: 'CORRUPT' })
  expect((await rescue.save('/restored-1.db')).name).toBe('restored-1.db')
  const found = await rescue.findDatabase()
  expect(found).toMatchObject({
    file: '/restored-1.db',
    opens: true,
    logPosition: 2,
    kept: ['/flowforge.db']
  })
  await expect(rescue.findDatabase()).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
  expect(await texts()).toEqual(['kept', 'after'])
  await reopened(async (context) => {
    expect(context.backup.kept()).toMatchObject([
      { file: '/flowforge.db', kind: 'before-restore', logPosition: 2 }
    ])
    expect(context.backup.place()).toMatchObject({
      generation: 2,
      problem: expect.stringContaining('restored-1.db')
    })
    // Blobs of both are there, and what is kept can come back.
    expect((await context.blobStore.get({ key: 'large' }))?.data.byteLength).toBe(600_000)
    await context.backup.undoRestore(() => undefined)
  })
  expect(await texts()).toEqual(['kept', 'taken back'])
})

test('a file that does not open is never taken for the newest, and is kept as damaged', async () => {
  await restoreOld()
  await breakLedger()
  const size = place.databases.size('/restored-1.db')
  place.databases.remove('/restored-1.db')
  await place.databases
    .write('/restored-1.db', new Blob([new Uint8Array(size).fill(7)]).stream())
    .catch(() => undefined)
  const database = await place.databases.open('/restored-1.db')
  database.script('CREATE TABLE other (id INTEGER PRIMARY KEY)')
  database.close()
  const rescue = await openRescueIn(place, options)
  expect(await rescue.findDatabase()).toMatchObject({ file: '/flowforge.db', opens: true })
  expect(await texts()).toEqual(['kept', 'taken back'])
  expect(await reopened(async (context) => context.backup.kept())).toMatchObject([
    { file: '/restored-1.db', kind: 'damaged' }
  ])
})

test('a rescue that broke off while it wrote the record anew is taken up again', async () => {
  await restoreOld()
  await breakLedger()
  const marker = await place.databases.open('/shelf-rewriting.db')
  marker.script('CREATE TABLE rewriting (id INTEGER PRIMARY KEY)')
  marker.close()
  place.databases.remove('/shelf.db')
  await expect(reopened(async () => undefined)).rejects.toMatchObject({ code: 'CORRUPT' })
  expect(place.databases.names()).toContain('/restored-1.db')
  const rescue = await openRescueIn(place, options)
  await rescue.findDatabase()
  expect(place.databases.names()).not.toContain('/shelf-rewriting.db')
  expect((await texts())[0]).toBe('kept')
})

test('a copy from before an update is taken where nothing newer opens', async () => {
  const copy = await place.databases.open('/before-9.db')
  const source = await place.databases.open('/flowforge.db')
  await copyDatabase(source, copy)
  source.close()
  copy.close()
  await breakLedger()
  const rescue = await openRescueIn(place, options)
  const damaged = await place.databases.open('/flowforge.db')
  damaged.script('DROP TABLE schema_migrations')
  damaged.close()
  expect(await rescue.findDatabase()).toMatchObject({
    file: '/before-9.db',
    opens: true,
    kept: ['/flowforge.db']
  })
})

test('a record of which file is in use that is gone is told, and nothing is opened in its place', async () => {
  await restoreOld()
  await reopened((context) =>
    context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: { text: 'after' } })
  )
  place.databases.remove('/shelf.db')
  const before = place.databases.names()
  await expect(reopened(async () => undefined)).rejects.toMatchObject({ code: 'CORRUPT' })
  expect(place.databases.names()).toEqual(before)
  const rescue = await openRescueIn(place, options)
  expect(await rescue.findDatabase()).toMatchObject({ file: '/restored-1.db', kept: ['/flowforge.db'] })
  expect(await texts()).toEqual(['kept', 'after'])
})

test('a first database that is gone beside a copy of it is told, and no empty one takes its place', async () => {
  const first = await place.databases.open('/flowforge.db')
  const copy = await place.databases.open('/before-2.db')
  await copyDatabase(first, copy)
  first.close()
  copy.close()
  place.databases.remove('/flowforge.db')
  await expect(reopened(async () => undefined)).rejects.toMatchObject({ code: 'CORRUPT' })
  expect(place.databases.names()).toEqual(['/before-2.db'])
  const rescue = await openRescueIn(place, options)
  expect(await rescue.findDatabase()).toMatchObject({ file: '/before-2.db', opens: true })
  expect(await texts()).toEqual(['kept'])
})

test('a first restore that a crash cut off leaves the first database in use', async () => {
  const next = await (await openShelf(place.databases)).nextFile()
  const half = await place.databases.open(next)
  half.script('CREATE TABLE half (id INTEGER PRIMARY KEY)')
  half.close()
  expect(await texts()).toEqual(['kept'])
  expect(place.databases.names()).not.toContain(next)
})

const archived = () =>
  reopened(async (context) => {
    for (const aggregateId of ['b:1', 'b:2', 'b:1', 'a:1']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as they happened
      await context.eventStore.append({ aggregateId, eventType: 'X', payload: { aggregateId } })
    }
    await context.archive.move({ aggregateIds: ['b:1', 'b:2'] })
    return context.eventStore.readAll({ limit: 100 })
  })
const salvageNow = async () => (await openRescueIn(place, options)).salvage()
const expectArchived = (events: Awaited<ReturnType<typeof archived>>) =>
  reopened(async (context) => {
    expect(await context.eventStore.readAll({ limit: 100 })).toEqual(events)
    expect(await context.eventStore.load({ aggregateId: 'b:1' })).toMatchObject([{ seq: 1 }, { seq: 2 }])
    expect(await context.log.verify()).toMatchObject({ isIntact: true })
    const [segment] = await context.archive.list()
    await context.archive.bringBack({ segmentId: segment?.id ?? 0 })
    expect(await context.eventStore.readAll({ limit: 100 })).toEqual(events)
  })

test('events that are archived stay in their segments, and are read from there as before', async () => {
  const events = await archived()
  await breakIt()
  const report = await salvageNow()
  expect(report).toMatchObject({ chain: [], sealedAnew: null, holes: [] })
  expect(report.tables.find(({ name }) => name === 'archived_events')).toMatchObject({ rows: 3, refused: 0 })
  await expectArchived(events)
  // What the log keeps from being done to it is kept from it again.
  await expect(
    reopened((context) => context.projectionStore.query({ sql: 'DELETE FROM events' }))
  ).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
})

test('where it is lost which events are archived, their segments tell it', async () => {
  const events = await archived()
  await breakIt()
  const damaged = await place.databases.open('/flowforge.db')
  damaged.script(`DROP TRIGGER archived_events_are_never_lost;
    DELETE FROM archived_events WHERE position > 2; DELETE FROM archived_streams`)
  damaged.close()
  expect(await salvageNow()).toMatchObject({ chain: [], sealedAnew: null })
  await expectArchived(events)
})

test('what names a segment that is lost is told, and keeps nobody from the events that are there', async () => {
  await archived()
  await breakIt()
  const damaged = await place.databases.open('/flowforge.db')
  damaged.script('DROP TRIGGER archive_segments_are_never_lost; DELETE FROM archive_segments')
  damaged.close()
  const report = await salvageNow()
  expect(report.tables.find(({ name }) => name === 'archived_events')).toMatchObject({ rows: 0, refused: 3 })
  expect(report.chain).toMatchObject([{ kind: 'missing-event' }])
  await reopened(async (context) => {
    const events = await context.eventStore.readAll({ limit: 100 })
    expect(events.map(({ position }) => position)).toEqual([1, 5])
    expect(await context.eventStore.load({ aggregateId: 'b:1' })).toEqual([])
  })
})

test('a backup that cannot be put in place leaves nothing behind', async () => {
  const { file } = await reopened((context) => context.backup.create({}))
  await breakIt()
  const sql = 'CREATE TABLE next (id TEXT CHECK (false)) STRICT; INSERT INTO next SELECT id FROM events'
  const migrations = [...MIGRATIONS, { version: NEWEST_SCHEMA + 1, name: 'next', sql }]
  const rescue = await openRescueIn(place, { ...options, migrations })
  await expect(rescue.restore(file)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  expect(place.databases.names().toSorted()).toEqual(['/flowforge.db', '/shelf.db'])
})

test('a file that is cut off within its header is told, and let go of', async () => {
  await breakIt()
  let opened = 0
  const { databases } = place
  const cutOff = function* (name: string): Generator<Uint8Array<ArrayBuffer>> {
    opened += 1
    try {
      for (const chunk of databases.chunks(name)) yield chunk.slice(0, 50)
    } finally {
      opened -= 1
    }
  }
  place = {
    ...place,
    databases: {
      ...databases,
      chunks: cutOff,
      open: (name) =>
        name === '/flowforge.db'
          ? Promise.reject(new FlowForgeError('CORRUPT', 'It has no header.'))
          : databases.open(name)
    }
  }
  await expect(salvageNow()).rejects.toThrow('The database file is empty')
  expect(opened).toBe(0)
})
