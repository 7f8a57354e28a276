import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryExportFiles } from '../backup/export-files.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { testWorld } from '../contract/store-contract.ts'
import type { DbContext } from '../ports.ts'
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
  await context.blobStore.put({ key: 'large', data: new Uint8Array(200_000).fill(7) })
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
  expect((await rescue.copies()).map(({ name }) => name)).toEqual(['flowforge-damaged.db'])
  const report = await rescue.salvage()
  expect(report.tables.find(({ name }) => name === 'events')).toMatchObject({ rows: 1, lost: [] })
  await reopened(async (context) => {
    expect(await context.eventStore.load({ aggregateId: 'a:1' })).toMatchObject([
      { payload: { text: 'kept' } }
    ])
    expect((await context.blobStore.get({ key: 'large' }))?.data.byteLength).toBe(200_000)
    expect(context.backup.kept()).toMatchObject([{ file: '/flowforge.db', kind: 'damaged' }])
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
