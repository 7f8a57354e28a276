import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testWorld, workflowRow } from '../contract/store-contract.ts'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS } from '../migrations/migrations.ts'
import { createLog } from '../log/log.ts'
import { verifyChain } from '../log/verify-chain.ts'
import { createEventStore } from '../sqlite/event-store.ts'
import { openMemoryDatabase } from '../sqlite/open-database.ts'
import { createProjectionStore } from '../sqlite/projection-store.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { createTransactions } from '../sqlite/transactions.ts'
import { rebuildHeader } from './file-header.ts'
import { salvageDatabase } from './salvage-database.ts'

const COUNT = 1_200
const world = testWorld()

let bytes: Uint8Array<ArrayBuffer>
let pageSize: number
const roots = new Map<string, number>()
const opened: SqliteDatabase[] = []

const fresh = async (): Promise<SqliteDatabase> => {
  const database = await openMemoryDatabase()
  opened.push(database)
  return database
}
const exported = ({ sqlite3, handle }: SqliteDatabase): Uint8Array<ArrayBuffer> =>
  new Uint8Array(sqlite3.capi.sqlite3_js_db_export(handle))

/** A sealed log of some streams, with rows beside it. */
beforeEach(async () => {
  const database = await fresh()
  await migrate(database, MIGRATIONS, world.now)
  const transactions = createTransactions(database)
  await createEventStore(database, transactions, world, null).appendMany(
    Array.from({ length: COUNT }, (_, index) => ({
      aggregateId: `a:${index % 7}`,
      eventType: 'T',
      payload: { index, filler: 'x'.repeat(300) }
    }))
  )
  await createProjectionStore(database, transactions, null).upsert({
    table: 'workflows',
    rows: [workflowRow('w1', 'Käse')]
  })
  const log = createLog(database, transactions, world.now, async () => [])
  await log.port.seal()
  await log.stop()
  await transactions.close()
  pageSize = Number(database.allOnce('PRAGMA page_size')[0]?.['page_size'])
  for (const row of database.allOnce('SELECT name, rootpage FROM sqlite_schema')) {
    roots.set(String(row['name']), Number(row['rootpage']))
  }
  bytes = exported(database)
})
afterEach(() => {
  for (const database of opened.splice(0)) database.close()
})

const rootOf = (name: string): number => roots.get(name) ?? 0
/** A page some way below an interior one, in the format of SQLite's b-trees. */
const childOf = (page: number, index = 0): number => {
  const at = (page - 1) * pageSize
  const view = new DataView(bytes.buffer)
  return view.getUint32(at + view.getUint16(at + 12 + 2 * index))
}
const damage = (page: number, fill = 0): void => void bytes.fill(fill, (page - 1) * pageSize, page * pageSize)

const openBytes = async (): Promise<SqliteDatabase> => {
  const database = await fresh()
  const { capi, wasm } = database.sqlite3
  const pointer = wasm.allocFromTypedArray(bytes)
  const size = bytes.byteLength
  capi.sqlite3_deserialize(database.handle, 'main', pointer, size, size, capi.SQLITE_DESERIALIZE_FREEONCLOSE)
  return database
}
const salvage = async () => {
  const [from, to] = [await openBytes(), await fresh()]
  await migrate(to, MIGRATIONS, world.now)
  const report = await salvageDatabase({
    from,
    to,
    file: '/flowforge.db',
    isHeaderRebuilt: false,
    now: world.now
  })
  expect(to.allOnce('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  const positions = to.allOnce('SELECT position FROM events').map(({ position }) => Number(position))
  const table = (name: string) => report.tables.find((each) => each.name === name)
  return { report, to, positions, table }
}
/** Every event is either there, and as it was, or in a range that is said to be lost. */
const expectNoneUntold = ({ positions, table }: Awaited<ReturnType<typeof salvage>>): void => {
  const { lost = [], refused = 0 } = table('events') ?? {}
  const told = (position: number): boolean =>
    lost.some(({ after, before }) => position > after && (before === null || position < before))
  const there = new Set(positions)
  const untold = Array.from({ length: COUNT }, (_, index) => index + 1).filter(
    (position) => !there.has(position) && !told(position)
  )
  expect(untold.length).toBeLessThanOrEqual(refused)
}

describe('what is readable of a damaged database', () => {
  test('is all of it where only an index is damaged', async () => {
    damage(rootOf('events_by_type'), 7)
    const { report, positions, to } = await salvage()
    expect(positions).toHaveLength(COUNT)
    expect(report).toMatchObject({ holes: [], chain: [], sealedAnew: null })
    expect(to.allOnce('SELECT name FROM workflows')).toEqual([{ name: 'Käse' }])
  })

  test.each([0, 255])(
    'is all but the rows of a page of the log that holds %i alone, and says which',
    async (fill) => {
      damage(childOf(rootOf('events'), 3), fill)
      const salvaged = await salvage()
      const { report, positions, table, to } = salvaged
      const lost = table('events')?.lost ?? []
      expect(lost).toHaveLength(1)
      expect(positions.length).toBeGreaterThan(COUNT - 100)
      expect(positions.length).toBeLessThan(COUNT)
      expectNoneUntold(salvaged)
      // Exactly the rows of the page: those at its edges were read.
      expect(positions).toContain(lost[0]?.after)
      expect(positions).toContain(lost[0]?.before)
      expect(report.holes.map(({ aggregateId }) => aggregateId)).toContain('a:1')
      expect(report.chain[0]).toMatchObject({ kind: 'missing-event' })
      // Sealed anew from where it differs; what is before keeps its seals.
      expect(await verifyChain(to)).toMatchObject({ isIntact: true })
      const { after = -1, events = 0 } = report.sealedAnew ?? {}
      expect(lost[0]?.after).toBeGreaterThanOrEqual(after)
      expect(events).toBe(positions.filter((position) => position > after).length)
      expect(() => to.run('DELETE FROM log_seals')).toThrow('never deleted')
      // No position is given twice.
      expect(to.allOnce(`SELECT seq FROM sqlite_sequence WHERE name = 'events'`)).toEqual([{ seq: COUNT }])
    }
  )

  test('is what stands between two damaged pages, too', async () => {
    damage(childOf(rootOf('events'), 2))
    damage(childOf(rootOf('events'), 9), 255)
    const salvaged = await salvage()
    expect(salvaged.table('events')?.lost).toHaveLength(2)
    expectNoneUntold(salvaged)
  })

  test('is the log where the table of a projection is gone', async () => {
    damage(rootOf('workflows'))
    const { positions, table, report } = await salvage()
    expect(positions).toHaveLength(COUNT)
    expect(table('workflows')).toMatchObject({ rows: 0, lost: [{ after: 0, before: null }] })
    expect(report.chain).toEqual([])
  })

  test('is the beginning of a file that was cut off', async () => {
    bytes = bytes.slice(0, Math.floor((bytes.byteLength / pageSize) * 0.7) * pageSize)
    const salvaged = await salvage()
    expect(salvaged.positions.length).toBeGreaterThan(100)
    expectNoneUntold(salvaged)
  })

  test('is all of it behind a header of zeros, which is written anew', async () => {
    const sound = bytes.slice(0, 100)
    bytes.fill(0, 0, 100)
    const other = await fresh()
    await migrate(other, MIGRATIONS, world.now)
    const header = exported(other)
    expect(header.subarray(16, 18)).toEqual(sound.subarray(16, 18))
    bytes = rebuildHeader(bytes, bytes.byteLength, header)
    const { report, positions } = await salvage()
    expect(positions).toHaveLength(COUNT)
    expect(report.chain).toEqual([])
  })

  test('others are heard while it is read', async () => {
    let heard = 0
    const { port1, port2 } = new MessageChannel()
    // Each is answered by the next: as many as there were turns.
    port1.onmessage = () => {
      heard += 1
      port2.postMessage(null)
    }
    const [from, to] = [await openBytes(), await fresh()]
    await migrate(to, MIGRATIONS, world.now)
    port2.postMessage(null)
    const heardBefore: number[] = []
    await salvageDatabase({
      from,
      to,
      file: '/flowforge.db',
      isHeaderRebuilt: false,
      now: world.now,
      onProgress: ({ table }) => {
        if (table === 'events') heardBefore.push(heard)
      }
    })
    port1.close()
    // Between each two of its batches.
    expect(heardBefore.length).toBeGreaterThan(3)
    expect(new Set(heardBefore.slice(1)).size).toBe(heardBefore.length - 1)
  })
})
