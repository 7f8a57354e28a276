import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import { readEvent } from '../../workflow/aggregates.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { createHistory } from '../../worker/projections/past.ts'
import { startProjections } from '../../worker/projections/projections.ts'
import { systemWorld } from '../../worker/world.ts'
import { memoryExportFiles } from '../backup/export-files.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import type { DbContext } from '../ports.ts'
import { openMemoryFiles } from '../sqlite/open-database.ts'
import { openContextIn } from '../sqlite/sqlite-context.ts'
import { MIGRATIONS, NEWEST_SCHEMA } from './migrations.ts'

/** Databases as the built app left them, each by the last build of its schema; see `scripts/write-schema-fixture.mjs`. */
const folder = join(import.meta.dirname, 'fixtures')
/** Steps that reached nobody without the next one. */
const NEVER_ALONE: ReadonlySet<number> = new Set([2])

const fixtures = readdirSync(folder)
const pathOf = (version: number): string => `v${version}.sqlite.gz`

let context: DbContext | null = null
afterEach(async () => {
  await context?.close()
  context = null
})

const open = async (fixture: string): Promise<DbContext> => {
  const databases = await openMemoryFiles()
  await databases.write('/flowforge.db', new Blob([gunzipSync(readFileSync(join(folder, fixture)))]).stream())
  const place = { databases, blobs: memoryFileStore(), exports: memoryExportFiles() }
  context = await openContextIn(place, { storage: 'memory', ...systemWorld })
  return context
}

test('a database of every earlier schema stands here', () => {
  const earlier = MIGRATIONS.map(({ version }) => version).filter(
    (version) => version < NEWEST_SCHEMA && !NEVER_ALONE.has(version)
  )
  expect(fixtures.toSorted()).toEqual(earlier.map(pathOf).toSorted())
})

describe.each(fixtures)('%s', (fixture) => {
  test('opens with the newest schema, and every event is read', async () => {
    const { eventStore, projectionStore, facts } = await open(fixture)
    expect((await facts()).schemaVersion).toBe(NEWEST_SCHEMA)
    const events = await eventStore.readAll({ limit: 100_000 })
    expect(events.length).toBeGreaterThan(100)
    const types = new Set(
      events.filter((event) => readEvent(event) !== undefined).map(({ eventType }) => eventType)
    )
    expect(types.size).toBeGreaterThan(10)
    const [check] = await projectionStore.query({ sql: 'PRAGMA integrity_check' })
    expect(check).toEqual({ integrity_check: 'ok' })
    expect(await projectionStore.query({ sql: 'PRAGMA foreign_key_check' })).toEqual([])
  })

  test('its rows are those that the log gives today, and what no event made is still there', async () => {
    const opened = await open(fixture)
    const projections = await startProjections({
      context: opened,
      definitions: ALL_PROJECTIONS,
      world: systemWorld
    })
    await projections.settled()
    const rowsOf = (sql: string) => opened.projectionStore.query({ sql })
    const history = createHistory({ context: opened, definitions: ALL_PROJECTIONS })
    for (const table of ALL_PROJECTIONS.flatMap(({ tables }) => tables)) {
      const sql = `SELECT * FROM ${table} ORDER BY 1`
      const { rows } = await history.stateAt({ position: Number.MAX_SAFE_INTEGER, sql })
      expect({ table, rows: await rowsOf(sql) }).toEqual({ table, rows })
    }
    await history.forget()
    await projections.stop()
    expect(await rowsOf('SELECT id, name FROM principals')).toEqual([{ id: 'p1', name: 'Ada' }])
    expect(await opened.eventStore.latestSnapshot({ aggregateId: 'thermometer:1' })).toMatchObject({
      lastSeq: 2,
      state: { value: 2 }
    })
    expect(await opened.blobStore.get({ key: 'small' })).toEqual({
      data: new Uint8Array([0, 1, 255]),
      contentType: 'application/x-test'
    })
  })
})
