import { afterEach, beforeEach, expect, test } from 'vitest'
import { testWorld } from '../contract/store-contract.ts'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS } from '../migrations/migrations.ts'
import { createEventStore } from '../sqlite/event-store.ts'
import { openMemoryDatabase } from '../sqlite/open-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { createTransactions, type Transactions } from '../sqlite/transactions.ts'
import { checkFile } from './check-file.ts'
import { walkTable } from './check-table.ts'

const world = testWorld()

let database: SqliteDatabase
let transactions: Transactions
beforeEach(async () => {
  database = await openMemoryDatabase()
  await migrate(database, MIGRATIONS, world.now)
  transactions = createTransactions(database)
  const store = createEventStore(database, transactions, world, null)
  await store.appendMany(
    Array.from({ length: 5_000 }, (_, index) => ({
      aggregateId: `a:${index % 7}`,
      eventType: 'T',
      payload: { index, filler: 'x'.repeat(300) }
    }))
  )
})
afterEach(async () => {
  await transactions.close()
  database.close()
})

/** The same file with a page of zeros in it, as a broken disk may leave one; opened anew, so that nothing is remembered. */
const zeroPage = async (page: number): Promise<void> => {
  const { sqlite3, handle } = database
  const bytes = sqlite3.capi.sqlite3_js_db_export(handle)
  const size = Number(database.allOnce('PRAGMA page_size')[0]?.['page_size'])
  bytes.fill(0, (page - 1) * size, page * size)
  await transactions.close()
  database.close()
  database = await openMemoryDatabase()
  transactions = createTransactions(database)
  const pointer = sqlite3.wasm.allocFromTypedArray(bytes)
  const flags = sqlite3.capi.SQLITE_DESERIALIZE_FREEONCLOSE
  sqlite3.capi.sqlite3_deserialize(database.handle, 'main', pointer, bytes.length, bytes.length, flags)
}
const rootOf = (name: string): number =>
  Number(database.allOnce('SELECT rootpage FROM sqlite_schema WHERE name = ?', [name])[0]?.['rootpage'])
/** A page below an interior one: its first child, in the format of SQLite's b-trees. */
const childOf = (page: number): number => {
  const [row] = database.allOnce('SELECT data FROM sqlite_dbpage WHERE pgno = ?', [page])
  const data = row?.['data']
  if (!(data instanceof Uint8Array)) throw new Error(`There is no page ${page}`)
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  return view.getUint32(view.getUint16(12))
}
const check = (stepMs?: number) => checkFile(database, async (work) => work(), undefined, stepMs)

// A step of no time has every table walked in pieces, as a large one is.
test.each([200, -1])('a sound file is sound, with steps of %i ms', async (stepMs) => {
  const { tables, findings } = await check(stepMs)
  expect(findings).toEqual([])
  expect(tables).toBeGreaterThan(20)
})

test.each([
  ['a leaf of the events', () => childOf(rootOf('events')), 200],
  ['a leaf of the events', () => childOf(rootOf('events')), -1],
  ['a leaf of an index of the events', () => childOf(rootOf('events_by_type')), 200],
  ['a leaf of an index of the events', () => childOf(rootOf('events_by_type')), -1],
  ['the root of an index of the events', () => rootOf('events_by_time'), 200]
])('%s that is zeros is found, and the table named', async (_what, page, stepMs) => {
  await zeroPage(page())
  const { findings } = await check(stepMs)
  expect(new Set(findings.map(({ table }) => table))).toEqual(new Set(['events']))
})

test('a table that a rebuild has put in its place meanwhile is no finding', async () => {
  database.script('CREATE TABLE workflows__next (id TEXT)')
  const onTable = (table: string): void => {
    if (table === 'workflows__next') database.script('DROP TABLE workflows__next')
  }
  expect((await checkFile(database, async (work) => work(), onTable)).findings).toEqual([])
})

test('a table of a projection that is zeros is found beside sound ones', async () => {
  await zeroPage(rootOf('runs'))
  const { findings } = await check()
  expect(findings.map(({ table }) => table)).toContain('runs')
  expect(findings.map(({ table }) => table)).not.toContain('events')
})

/** Does something to the events behind the back of one of their indexes. */
const behindIndex = (name: string, work: () => void): void => {
  const [index] = database.allOnce('SELECT * FROM sqlite_schema WHERE name = ?', [name])
  database.script('PRAGMA writable_schema = ON')
  database.allOnce('DELETE FROM sqlite_schema WHERE name = ?', [name])
  database.script('PRAGMA writable_schema = RESET')
  work()
  database.script('PRAGMA writable_schema = ON')
  const values = ['type', 'name', 'tbl_name', 'rootpage', 'sql'].map((column) => index?.[column])
  database.allOnce(
    'INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES (?, ?, ?, ?, ?)',
    values.map((value) => (typeof value === 'number' ? value : String(value)))
  )
  database.script('PRAGMA writable_schema = RESET')
}

test('a row that an index does not lead to is found, and so is an entry that leads to no row', async () => {
  const name = 'events_by_time'
  const inTurn = async <T>(work: () => T): Promise<T> => work()
  behindIndex(name, () =>
    database.script(`DROP TRIGGER events_are_never_changed;
      UPDATE events SET created_at = 'other' WHERE position IN (1, 2500, 5000)`)
  )
  expect((await check(-1)).findings).toEqual([
    { table: 'events', message: `The index ${name} does not lead to 3 rows.` }
  ])
  behindIndex(name, () =>
    database.script(
      `DROP TRIGGER events_are_never_deleted; DELETE FROM events WHERE position IN (1, 2500, 5000)`
    )
  )
  // While others write, nobody can tell whether they do.
  expect((await check(-1)).findings).toEqual([])
  expect(await walkTable(database, inTurn, 'events', true)).toEqual([
    `The index ${name} has 5000 entries for 4997 rows.`
  ])
})

test('rows that go away while a table is walked are no finding', async () => {
  database.script('DROP TRIGGER events_are_never_deleted')
  let turns = 0
  const inTurn = async <T>(work: () => T): Promise<T> => {
    turns += 1
    // As when streams that have ended are archived meanwhile.
    if (turns % 10 === 0) database.script(`DELETE FROM events WHERE position <= ${turns * 10}`)
    return work()
  }
  expect((await checkFile(database, inTurn, undefined, -1)).findings).toEqual([])
  expect(turns).toBeGreaterThan(50)
})

test('a table is walked in pieces, however large its rows are', async () => {
  database.script(`CREATE TABLE large (id INTEGER PRIMARY KEY, bytes BLOB);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
    INSERT INTO large SELECT i, zeroblob(1000000) FROM n`)
  let turns = 0
  const inTurn = async <T>(work: () => T): Promise<T> => {
    turns += 1
    return work()
  }
  expect(await walkTable(database, inTurn, 'large')).toEqual([])
  expect(turns).toBeGreaterThan(20)
  turns = 0
  expect(await walkTable(database, inTurn, 'events', true)).toEqual([])
  expect(turns).toBeLessThan(100)
})
