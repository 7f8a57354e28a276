import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { testWorld, workflowRow } from '../contract/store-contract.ts'
import { MIGRATIONS, type Migration } from '../migrations/migrations.ts'
import type { BackupJob, DbContext } from '../ports.ts'
import { openMemoryFiles } from '../sqlite/open-database.ts'
import { openContextIn, type StoragePlace } from '../sqlite/sqlite-context.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { hashTable, hashTables, tableNames } from './content-hash.ts'
import { memoryExportFiles } from './export-files.ts'
import { readManifest, writeManifest } from './manifest.ts'
import { readPages } from './read-pages.ts'
import { verifyBackup, verifySteps } from './verify-backup.ts'

const newest = MIGRATIONS.at(-1)?.version ?? 0
const LARGE = new Uint8Array(1_300_000).map((_, index) => index % 251)

const swapped = (): void => undefined

let place: StoragePlace
let context: DbContext
let end: () => void
const world = testWorld()

/** The files outlive the context, as they do on a disk. */
const openPlace = async (): Promise<{ place: StoragePlace; end: () => void }> => {
  const databases = await openMemoryFiles()
  const lasting = { ...databases, close: () => undefined }
  return {
    place: { databases: lasting, blobs: memoryFileStore(), exports: memoryExportFiles() },
    end: databases.close
  }
}
const open = (migrations: readonly Migration[] = MIGRATIONS) =>
  openContextIn(place, { storage: 'memory', migrations, ...world })
const reopen = async (migrations?: readonly Migration[]): Promise<void> => {
  await context.close()
  context = await open(migrations)
}
const restore = async (file: Blob): Promise<void> => {
  const { id } = await context.backup.stage(file, {})
  await context.backup.restore(id, swapped, {})
  await reopen()
}
const append = (text: string) =>
  context.eventStore.append({ aggregateId: 'a:1', eventType: 'X', payload: { text } })

const fill = async (): Promise<void> => {
  await append('Grüße, 💡 and "quotes"')
  await context.eventStore.appendMany(
    Array.from({ length: 700 }, (_, index) => ({
      aggregateId: `b:${index % 7}`,
      eventType: 'Y',
      payload: { index, nothing: null, real: index / 3 }
    }))
  )
  await context.projectionStore.upsert({ table: 'workflows', rows: [workflowRow('w1', 'Käse')] })
  await context.blobStore.put({ key: 'small', data: new Uint8Array([0, 1, 255]), contentType: 'text/plain' })
  await context.blobStore.put({ key: 'large', data: LARGE })
  await context.eventStore.saveSnapshot({ aggregateId: 'a:1', lastSeq: 1, state: { text: 'x' } })
}

/** All rows of all tables, and all blobs. */
const content = async () => {
  const tables = await context.projectionStore.query({
    // A check after a restore reports in its own time.
    sql: `SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'health_reports' ORDER BY name`
  })
  const rows = await Promise.all(
    tables.map(({ name }) =>
      context.projectionStore.query({ sql: `SELECT * FROM "${String(name)}" ORDER BY 1` })
    )
  )
  const keys = await context.projectionStore.query({ sql: 'SELECT key FROM blobs ORDER BY key' })
  const blobs = await Promise.all(
    keys.map(async ({ key }) => {
      const blob = await context.blobStore.get({ key: String(key) })
      return createHash('sha256')
        .update(blob?.data ?? '')
        .digest('hex')
    })
  )
  return { tables, rows, blobs }
}

/** What a tool makes of a backup: opened, changed, and written out again. */
const changed = async (
  file: Blob,
  change: (database: SqliteDatabase) => void | Promise<void>
): Promise<Blob> => {
  const files = await openMemoryFiles()
  await files.write('/changed.db', file.stream())
  const database = await files.open('/changed.db')
  await change(database)
  const bytes = [...readPages(database)]
  database.close()
  files.close()
  return new Blob(bytes)
}

beforeEach(async () => {
  ;({ place, end } = await openPlace())
  context = await open()
  await fill()
})
afterEach(async () => {
  await context.close()
  end()
})

describe('a backup', () => {
  test('brings everything back as it was, and keeps what was there', async () => {
    const before = await content()
    const { file, summary } = await context.backup.create({})
    expect(summary).toMatchObject({
      events: 701,
      workflows: 1,
      blobs: 2,
      schemaVersion: newest,
      logPosition: 701
    })
    expect(summary.bytes).toBe(file.size)
    await append('later')
    await context.blobStore.remove({ key: 'large' })
    await context.blobStore.put({ key: 'other', data: new Uint8Array(600_000).fill(9) })
    const between = await content()

    await restore(file)
    expect(await content()).toEqual(before)
    await append('goes on')
    expect(context.backup.place()).toEqual({ generation: 1, problem: null })
    expect(context.backup.kept()).toMatchObject([{ kind: 'before-restore', logPosition: 702 }])

    await context.backup.undoRestore(swapped)
    await reopen()
    expect(await content()).toEqual(between)
  })

  test('is a plain SQLite file with everything in it', async () => {
    const { file } = await context.backup.create({})
    const bytes = new Uint8Array(await file.arrayBuffer())
    expect(new TextDecoder().decode(bytes.subarray(0, 15))).toBe('SQLite format 3')
    // Neither a write-ahead log nor a journal belongs to it.
    expect([...bytes.subarray(18, 20)]).toEqual([1, 1])
    const files = await openMemoryFiles()
    await files.write('/any.db', file.stream())
    const database = await files.open('/any.db')
    expect(database.allOnce('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    expect(database.allOnce('SELECT sum(length(bytes)) AS bytes FROM backup_blob_chunks')).toEqual([
      { bytes: LARGE.byteLength }
    ])
    expect(tableNames(database)).toContain('events')
    database.close()
    files.close()
  })

  test('is one moment of the log, while appends go on', async () => {
    const backup = context.backup.create({})
    let appended = 0
    let isDone = false
    const done = backup.finally(() => (isDone = true))
    while (!isDone) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, as long as the backup takes
      await Promise.all([append(`during ${appended++}`), context.tx.runInTransaction((tx) => tx.facts())])
    }
    const { file, summary } = await done
    expect(appended).toBeGreaterThan(3)
    expect(summary.logPosition).toBe(summary.events)
    await restore(file)
    const events = await context.eventStore.readAll({ limit: 10_000 })
    expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1))
    expect(events).toHaveLength(summary.events)
  })

  test('that was canceled leaves nothing; two at once are refused', async () => {
    const stop = new AbortController()
    const canceled = context.backup.create({ signal: stop.signal, onProgress: () => stop.abort() })
    await expect(context.backup.create({})).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(canceled).rejects.toMatchObject({ code: 'CANCELED' })
    expect(place.databases.names()).toEqual(['/flowforge.db'])
    await context.backup.create({})
  })

  test('a large blob that is replaced meanwhile is in it as it was or as it is, never missing', async () => {
    const backup = context.backup.create({})
    await context.blobStore.put({ key: 'large', data: new Uint8Array(LARGE).fill(1) })
    const { file, summary } = await backup
    expect(summary.missing).toEqual([])
    await restore(file)
    expect((await context.blobStore.get({ key: 'large' }))?.data.byteLength).toBe(LARGE.byteLength)
  })

  test('names a large blob that was gone already, and holds all the rest', async () => {
    const [row] = await context.projectionStore.query({
      sql: `SELECT file_name FROM blobs WHERE key = 'large'`
    })
    await place.blobs.remove(String(row?.['file_name']))
    const { file, summary } = await context.backup.create({})
    expect(summary.missing).toEqual([row?.['file_name']])
    await restore(file)
    expect((await context.blobStore.get({ key: 'small' }))?.data).toEqual(new Uint8Array([0, 1, 255]))
    await expect(context.blobStore.get({ key: 'large' })).rejects.toMatchObject({ code: 'CORRUPT' })
  })

  test('of an older schema is migrated on its way in', async () => {
    const { file } = await context.backup.create({})
    const next: Migration = {
      version: newest + 1,
      name: 'next',
      sql: 'CREATE TABLE next (id TEXT) STRICT; INSERT INTO next SELECT id FROM workflows'
    }
    await reopen([...MIGRATIONS, next])
    const { id } = await context.backup.stage(file, {})
    await context.backup.restore(id, swapped, {})
    await reopen([...MIGRATIONS, next])
    expect(await context.projectionStore.query({ sql: 'SELECT id FROM next' })).toEqual([{ id: 'w1' }])
    expect(await context.facts()).toMatchObject({ schemaVersion: newest + 1, logPosition: 701 })
    const newer = await context.backup.create({})
    await reopen([...MIGRATIONS, next])
    await context.backup.undoRestore(swapped)
    await context.close()
    ;({ place, end } = await openPlace())
    context = await open()
    await expect(context.backup.stage(newer.file, {})).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      details: { found: newest + 1, newest }
    })
  })

  test('a table of no migration is a passing one, and is left out', async () => {
    await context.projectionStore.query({ sql: 'CREATE TABLE workflows__next (id TEXT)' })
    await restore((await context.backup.create({})).file)
    const names = await context.projectionStore.query({ sql: 'SELECT name FROM sqlite_schema' })
    expect(names.map(({ name }) => name)).not.toContain('workflows__next')
  })
})

describe('what is refused, and what was there stays', () => {
  let file: Blob
  let before: Awaited<ReturnType<typeof content>>
  beforeEach(async () => {
    ;({ file } = await context.backup.create({}))
    await append('after the backup')
    before = await content()
  })
  const expectRefused = async (bad: Blob, code: string, message: RegExp): Promise<void> => {
    const staging = context.backup.stage(bad, {})
    await expect(staging).rejects.toMatchObject({ code })
    await expect(staging).rejects.toThrow(message)
    expect(await content()).toEqual(before)
    expect(place.databases.names()).toEqual(['/flowforge.db'])
    await reopen()
    expect(await content()).toEqual(before)
  }

  test('a text, and an empty file', async () => {
    await expectRefused(new Blob(['a,b\n1,2\n'.repeat(100)]), 'INVALID_INPUT', /not a SQLite database/)
    await expectRefused(new Blob([]), 'INVALID_INPUT', /not a SQLite database/)
  })
  test('a SQLite database of somebody else', async () => {
    const files = await openMemoryFiles()
    const database = await files.open('/other.db')
    database.script('CREATE TABLE t (x); INSERT INTO t VALUES (1)')
    const other = new Blob([...readPages(database)])
    await expectRefused(other, 'INVALID_INPUT', /not one of FlowForge/)
  })
  test('a file that was cut off', async () => {
    await expectRefused(file.slice(0, file.size - 8_192), 'CORRUPT', /not whole/)
    await expectRefused(file.slice(0, 50), 'INVALID_INPUT', /not a SQLite database/)
  })

  const edits: [string, string, RegExp][] = [
    [
      'an event that was changed',
      `DROP TRIGGER events_are_never_changed; UPDATE events SET payload_json = '{}'`,
      /trigger events_are_never_changed is missing/
    ],
    ['a row that was changed', `UPDATE workflows SET name = 'Other'`, /rows of workflows/],
    ['a row that was taken out', `DELETE FROM workflows`, /rows of workflows/],
    ['a number that was changed', `UPDATE sqlite_sequence SET seq = 3`, /rows of sqlite_sequence/],
    [
      'a large blob that was changed',
      `UPDATE backup_blob_chunks SET bytes = zeroblob(length(bytes)) WHERE idx = 1`,
      /blob/
    ],
    ['a large blob that was taken out', `DELETE FROM backup_blob_chunks`, /blob/],
    [
      'a manifest that was changed',
      `UPDATE backup_manifest SET manifest_json = json_set(manifest_json, '$.createdAt', 'x')`,
      /manifest/
    ],
    ['no manifest', `DROP TABLE backup_manifest`, /no manifest/],
    [
      'a trigger',
      `CREATE TRIGGER evil AFTER INSERT ON events BEGIN DELETE FROM workflows; END`,
      /trigger evil does not belong/
    ],
    ['a view', `CREATE VIEW evil AS SELECT 1`, /view evil does not belong/],
    [
      'a view in a table’s place',
      `DROP TABLE permissions; CREATE VIEW permissions AS SELECT 1 AS id`,
      /view permissions does not belong/
    ],
    ['a table too many', `CREATE TABLE evil (x)`, /table evil does not belong/],
    [
      'an index that runs something',
      `CREATE INDEX evil ON workflows (upper(name))`,
      /index evil does not belong/
    ],
    [
      'an older step that is another',
      `UPDATE schema_migrations SET checksum = 'x'`,
      /not the one that this FlowForge knows/
    ]
  ]
  test.each(edits)('%s', async (_name, sql, message) => {
    const bad = await changed(file, (database) => database.script(sql))
    await expectRefused(
      bad,
      sql.includes('DROP TABLE backup_manifest') ? 'INVALID_INPUT' : 'CORRUPT',
      message
    )
  })

  /** What somebody does who knows the format: the rows are changed, and the manifest says that they are the right ones. */
  const forged = (sql: string): Promise<Blob> =>
    changed(file, async (database) => {
      const triggers = database.allOnce(`SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`)
      for (const { name } of triggers) database.script(`DROP TRIGGER ${String(name)}`)
      database.script(sql)
      for (const trigger of triggers) database.script(String(trigger['sql']))
      const manifest = await readManifest(database)
      database.script('DELETE FROM backup_manifest')
      await writeManifest(database, { ...manifest, tables: await hashTables(database) })
    })

  test('a log that is not the one its hash chain seals, whatever the manifest says', async () => {
    await context.log.seal()
    ;({ file } = await context.backup.create({}))
    before = await content()
    const changedEvent = await forged(`UPDATE events SET payload_json = '{}' WHERE position = 3`)
    await expectRefused(changedEvent, 'CORRUPT', /not the one that its hash chain seals/)
    const withoutSeal = await forged('DELETE FROM log_seals')
    await expectRefused(withoutSeal, 'CORRUPT', /ends in another seal/)
  })

  test('any byte that flips is either noticed or makes no difference', { timeout: 120_000 }, async () => {
    const bytes = new Uint8Array(await file.arrayBuffer())
    await restore(file)
    const right = await content()
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
        const flipped = new Uint8Array(bytes)
        flipped[at] = (flipped[at] ?? 0) ^ mask
        try {
          await restore(new Blob([flipped]))
        } catch (thrown) {
          expect(thrown).toMatchObject({
            code: expect.stringMatching(/^(CORRUPT|INVALID_INPUT|NOT_ALLOWED)$/)
          })
        }
        expect(await content()).toEqual(right)
      }),
      { numRuns: 120, seed: 7 }
    )
  })

  test('a backup that was made before the one that was staged last', async () => {
    const first = await context.backup.stage(file, {})
    await context.backup.stage(file, {})
    await expect(context.backup.restore(first.id, swapped, {})).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await context.backup.discard()
    expect(place.databases.names()).toEqual(['/flowforge.db'])
  })
})

test('what was restored is checked by itself, its hash chain too, and the report is kept', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const reports = async () =>
    (await context.projectionStore.query({ sql: `SELECT outcome, report_json FROM health_reports` })).map(
      (row) => [row['outcome'], Reflect.get(Object(JSON.parse(String(row['report_json']))), 'trigger')]
    )
  await context.log.seal()
  await restore((await context.backup.create({})).file)
  // Who asks for a check at the same time has one that does not read the log.
  const asked = context.health.check()
  vi.advanceTimersByTime(3_000)
  expect(await asked).toMatchObject({ trigger: 'asked' })
  const both = [
    ['sound', 'asked'],
    ['sound', 'restored']
  ]
  await vi.waitFor(async () => expect(await reports()).toEqual(both))

  // Somebody exchanges an event between the restore and its first opening.
  const { file } = await context.backup.create({})
  const { id } = await context.backup.stage(file, {})
  await context.backup.restore(id, swapped, {})
  await context.close()
  const database = await place.databases.open('/restored-2.db')
  database.script(`DROP TRIGGER events_are_never_changed;
    UPDATE events SET payload_json = '{}' WHERE position = 3`)
  database.close()
  context = await open()
  vi.advanceTimersByTime(3_000)
  await vi.waitFor(async () => expect(await reports()).toContainEqual(['damaged', 'restored']))
  expect((await context.health.state()).latest?.findings).toMatchObject([
    { table: 'events', message: expect.stringContaining('changed-event') }
  ])
})

test('a replacement that does not open gives its place back, and says why', async () => {
  const { file } = await context.backup.create({})
  await append('later')
  const before = await content()
  const { id } = await context.backup.stage(file, {})
  await context.backup.restore(id, swapped, {})
  await context.close()
  const { databases } = place
  place = {
    ...place,
    databases: {
      ...databases,
      open: (name) =>
        name.startsWith('/restored') ? Promise.reject(new Error('unreadable')) : databases.open(name)
    }
  }
  context = await open()
  expect(await content()).toEqual(before)
  expect(context.backup.place()).toEqual({
    generation: 2,
    problem: 'What was restored did not open: unreadable'
  })
  await reopen()
  expect(await content()).toEqual(before)
})

test('kept copies can be saved as backups, and be removed with the blobs that only they name', async () => {
  await restore((await context.backup.create({})).file)
  await context.blobStore.put({ key: 'large', data: new Uint8Array(300_000).fill(2) })
  await restore((await context.backup.create({})).file)
  const [copy, ...others] = context.backup.kept()
  expect(others).toEqual([])
  const { summary } = await context.backup.saveKept(String(copy?.file), {})
  expect(summary).toMatchObject({ events: 701, blobs: 2, missing: [] })
  await context.backup.removeKept(String(copy?.file))
  expect(context.backup.kept()).toEqual([])
  expect(place.databases.names().toSorted()).toEqual(['/restored-2.db', '/shelf.db'])
  await expect(context.backup.undoRestore(swapped)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a restore that fails when it was taken apart says that the file must be chosen again', async () => {
  const { file } = await context.backup.create({})
  await context.projectionStore.remove({ table: 'workflows', where: { id: 'w1' } })
  const sql = `CREATE TABLE next (id TEXT CHECK (id <> 'w1')) STRICT; INSERT INTO next SELECT id FROM workflows`
  await reopen([...MIGRATIONS, { version: newest + 1, name: 'next', sql }])
  const before = await content()
  const { id } = await context.backup.stage(file, {})
  await expect(context.backup.restore(id, swapped, {})).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  await expect(context.backup.restore(id, swapped, {})).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('Choose the file again')
  })
  expect(place.databases.names()).not.toContain('/incoming.db')
  expect(place.databases.names()).not.toContain('/restored-1.db')
  expect(await content()).toEqual(before)
})

test('a restore that is canceled while its database is made changes nothing', async () => {
  const { file } = await context.backup.create({})
  await append('later')
  await context.close()
  const stop = new AbortController()
  const { databases } = place
  place = {
    ...place,
    databases: {
      ...databases,
      compactInto: async (...args) => {
        await databases.compactInto(...args)
        stop.abort()
      }
    }
  }
  context = await open()
  const before = await content()
  const { id } = await context.backup.stage(file, {})
  let swaps = 0
  const restoring = context.backup.restore(id, () => (swaps += 1), { signal: stop.signal })
  await expect(restoring).rejects.toMatchObject({ code: 'CANCELED' })
  expect(swaps).toBe(0)
  expect(place.databases.names()).not.toContain('/restored-1.db')
  expect(await content()).toEqual(before)
})

describe('a backup that is too large to be looked at in one go', () => {
  const verified = async (file: Blob, job: BackupJob = {}) => {
    const files = await openMemoryFiles()
    await files.write('/large.db', file.stream())
    const database = await files.open('/large.db')
    try {
      // A look of no time has every table walked in pieces.
      return await verifyBackup(database, MIGRATIONS, job, verifySteps(-1))
    } finally {
      database.close()
      files.close()
    }
  }

  test('is found whole', async () => {
    const { file, summary } = await context.backup.create({})
    expect(await verified(file)).toMatchObject({ logPosition: summary.logPosition })
  })

  test('with a page of an index that is damaged is refused', async () => {
    const { file } = await context.backup.create({})
    const bytes = new Uint8Array(await file.arrayBuffer())
    const files = await openMemoryFiles()
    await files.write('/any.db', file.stream())
    const database = await files.open('/any.db')
    const [index] = database.allOnce(
      `SELECT rootpage, (SELECT page_size FROM pragma_page_size) AS size FROM sqlite_schema WHERE name = 'events_by_type'`
    )
    database.close()
    files.close()
    const size = Number(index?.['size'])
    bytes.fill(0, (Number(index?.['rootpage']) - 1) * size, Number(index?.['rootpage']) * size)
    await expect(verified(new Blob([bytes]))).rejects.toMatchObject({
      code: 'CORRUPT',
      details: { check: 'structure' }
    })
  })

  test('hears that it is canceled within one table', async () => {
    const { file } = await context.backup.create({})
    const stop = new AbortController()
    let turns = 0
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      turns += 1
      if (turns === 40) stop.abort()
      port2.postMessage(null)
    }
    port2.postMessage(null)
    const verifying = verified(file, { signal: stop.signal })
    await expect(verifying).rejects.toMatchObject({ code: 'CANCELED', details: { check: 'structure' } })
    port1.close()
  })
})

test('rows of any size are hashed a few at a time, and have the same hash', async () => {
  const files = await openMemoryFiles()
  const database = await files.open('/rows.db')
  database.script(`CREATE TABLE t (id INTEGER PRIMARY KEY, bytes BLOB) STRICT;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO t SELECT i, zeroblob(CASE WHEN i % 5 = 0 THEN 100000 ELSE i % 50 END) FROM n`)
  const counts: number[] = []
  const counting: SqliteDatabase = {
    ...database,
    all: (sql, params) => {
      const rows = database.all(sql, params)
      counts.push(rows.reduce((sum, { line }) => sum + (line instanceof Uint8Array ? line.byteLength : 0), 0))
      return rows
    }
  }
  const { rows, sha256 } = await hashTable(counting, 't')
  const hash = createHash('sha256')
  for (const { id, bytes } of database.all('SELECT id, bytes FROM t ORDER BY id')) {
    const hex = Buffer.from(bytes instanceof Uint8Array ? bytes : [])
      .toString('hex')
      .toUpperCase()
    hash.update(`i${String(id)};b${hex.length / 2}:${hex}\n`)
  }
  expect({ rows, sha256 }).toEqual({ rows: 2_000, sha256: hash.digest('hex') })
  expect(Math.max(...counts)).toBeLessThan(4_000_000)
  database.close()
  files.close()
})
