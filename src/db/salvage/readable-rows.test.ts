import { afterEach, expect, test } from 'vitest'
import type { LostRange } from '../salvage-port.ts'
import { openMemoryDatabase } from '../sqlite/open-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { readableRows } from './readable-rows.ts'

const COUNT = 60_000
const PAGE = 512

const opened: SqliteDatabase[] = []
afterEach(() => {
  for (const database of opened.splice(0)) database.close()
})
const fresh = async (): Promise<SqliteDatabase> => {
  const database = await openMemoryDatabase()
  opened.push(database)
  return database
}

/** A table of many small pages, several levels deep: its file, and where its topmost page begins. */
const deepTable = async (): Promise<{ bytes: Uint8Array<ArrayBuffer>; root: number }> => {
  const database = await fresh()
  database.script(`PRAGMA page_size = ${PAGE}; VACUUM;
    CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${COUNT})
    INSERT INTO t SELECT i, printf('%0100d', i) FROM n`)
  const [table] = database.allOnce(`SELECT rootpage FROM sqlite_schema WHERE name = 't'`)
  const { capi } = database.sqlite3
  const bytes = new Uint8Array(capi.sqlite3_js_db_export(database.handle))
  return { bytes, root: (Number(table?.['rootpage']) - 1) * PAGE }
}

const openBytes = async (bytes: Uint8Array<ArrayBuffer>): Promise<SqliteDatabase> => {
  const database = await fresh()
  const { capi, wasm } = database.sqlite3
  const [pointer, size] = [wasm.allocFromTypedArray(bytes), bytes.byteLength]
  capi.sqlite3_deserialize(database.handle, 'main', pointer, size, size, capi.SQLITE_DESERIALIZE_FREEONCLOSE)
  return database
}

/** Ends after far more rows than there can be. */
const readAll = (database: SqliteDatabase) => {
  const lost: LostRange[] = []
  const ids: number[] = []
  for (const batch of readableRows(database, 't', ['id', 'text'], (range) => lost.push(range))) {
    for (const { id, text } of batch) {
      expect(Number(text)).toBe(Number(id))
      ids.push(Number(id))
    }
    if (ids.length > 5 * COUNT) throw new Error('It does not come to an end.')
  }
  return { lost, ids, there: new Set(ids) }
}

test('a page that leads back to rows before it does not keep the reading from its end, nor from the rows behind', async () => {
  const { bytes, root } = await deepTable()
  const view = new DataView(bytes.buffer)
  const children = view.getUint16(root + 3)
  expect(children).toBeGreaterThan(2)
  const cell = (index: number): number => root + view.getUint16(root + 12 + 2 * index)
  // The second subtree is gone: its pointer leads to the first once more.
  view.setUint32(cell(1), view.getUint32(cell(0)))
  const { there, ids } = readAll(await openBytes(bytes))
  expect(there).toContain(1)
  expect(there).toContain(COUNT)
  const gone = COUNT - there.size
  expect(gone).toBeGreaterThan(500)
  // What came twice stands for what did not come.
  expect(ids.length - there.size).toBeGreaterThan(500)
  expect(ids.length).toBeLessThan(2 * COUNT)
})

test('a page that leads on too far keeps back no row that can be read', async () => {
  const { bytes, root } = await deepTable()
  const view = new DataView(bytes.buffer)
  const cell = (index: number): number => root + view.getUint16(root + 12 + 2 * index)
  view.setUint32(cell(0), view.getUint32(cell(1)))
  const { there } = readAll(await openBytes(bytes))
  const firstOfSecond = Math.min(...there)
  expect(firstOfSecond).toBeGreaterThan(500)
  expect(there.size).toBe(COUNT - firstOfSecond + 1)
})

test('nor does one with a page behind it that cannot be read', async () => {
  const { bytes, root } = await deepTable()
  const view = new DataView(bytes.buffer)
  const childOf = (page: number, index: number): number =>
    view.getUint32(page + view.getUint16(page + 12 + 2 * index))
  const at = (page: number): number => (page - 1) * PAGE
  view.setUint32(root + view.getUint16(root + 12 + 2 * 2), childOf(root, 0))
  let page = at(childOf(root, 3))
  // A leaf of a table begins with 13.
  while (bytes[page] !== 13) page = at(childOf(page, 0))
  bytes.fill(0, page, page + PAGE)
  const { there, lost } = readAll(await openBytes(bytes))
  expect(there).toContain(COUNT)
  expect(lost).toHaveLength(1)
})

test('large rows are handed out a few at a time', async () => {
  const database = await fresh()
  database.script(`CREATE TABLE b (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24)
    INSERT INTO b SELECT i, zeroblob(1000000) FROM n`)
  const batches = [...readableRows(database, 'b', ['bytes'], () => undefined)]
  expect(batches.flat()).toHaveLength(24)
  for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(5)
})
