import sqlite3InitModule from '@sqlite.org/sqlite-wasm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY, openTestEngine, type TestEngine } from './contract/test-engine.ts'
import { SMALL_DUCKDB } from './fixtures/small-duckdb.ts'

let bed: TestEngine
beforeAll(async () => {
  bed = openTestEngine(await openDbContext(IN_MEMORY))
})
afterAll(() => bed.close())

/** A SQLite file of these statements. */
const sqliteFile = async (...statements: string[]): Promise<Uint8Array<ArrayBuffer>> => {
  const sqlite3 = await sqlite3InitModule()
  const database = new sqlite3.oo1.DB(':memory:')
  for (const sql of statements) database.exec(sql)
  const bytes = sqlite3.capi.sqlite3_js_db_export(database).slice()
  database.close()
  return bytes
}

const SHOP = [
  `CREATE TABLE orders (id INTEGER, price REAL, day TEXT, name TEXT, raw BLOB, odd)`,
  `INSERT INTO orders VALUES (9223372036854775807, 12.5, '1815-12-10', 'Zoë', x'FF00', 1), (2, NULL, NULL, '', NULL, x'0A'), (3, 7, '2024-02-29', 'c', x'', 'x')`,
  `CREATE TABLE people (name TEXT)`,
  `INSERT INTO people VALUES ('Ada')`,
  `CREATE VIEW cheap AS SELECT name FROM orders WHERE price < 10`
]

describe('a SQLite file', () => {
  test('has its first table read, with types that its values have, and says what was not', async () => {
    const source = await bed.prepare('shop.sqlite', await sqliteFile(...SHOP))
    expect(source.columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id integer',
      'price number',
      'day date',
      'name text',
      'raw bytes',
      'odd text'
    ])
    expect(await bed.rows(source)).toEqual([
      {
        id: 9223372036854775807n,
        price: 12.5,
        day: '1815-12-10',
        name: 'Zoë',
        raw: new Uint8Array([255, 0]),
        odd: '1'
      },
      { id: 2, price: null, day: null, name: '', raw: null, odd: '0a' },
      { id: 3, price: 7, day: '2024-02-29', name: 'c', raw: new Uint8Array(), odd: 'x' }
    ])
    expect(source.notes).toEqual([
      'Table "orders" was read; 2 of 3 were not: people, cheap.',
      'Column "odd" is text: its bytes are written in hexadecimal beside its other values.'
    ])
  })

  test('has another table, a view or a query read', async () => {
    const file = await sqliteFile(...SHOP)
    expect(await bed.rows(await bed.prepare('shop.sqlite', file, { table: 'cheap' }))).toEqual([
      { name: 'c' }
    ])
    const query = 'SELECT count(*) AS n, max(id) AS top FROM orders -- all of them'
    expect(await bed.rows(await bed.prepare('shop.sqlite', file, { query }))).toEqual([
      { n: 3, top: 9223372036854775807n }
    ])
    await expect(bed.prepare('shop.sqlite', file, { table: 'nothing' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message:
        '"shop.sqlite" cannot be read as a SQLite database: it has no table "nothing". There are: orders, people, cheap.'
    })
  })

  test.each([
    'DELETE FROM orders RETURNING *',
    'SELECT 1); DELETE FROM orders; SELECT (1',
    "SELECT * FROM pragma_table_info('orders')",
    'SELECT * FROM sqlite_dbpage',
    "SELECT load_extension('x')",
    'ATTACH ":memory:" AS other'
  ])('refuses a query that does more than read its tables: %s', async (query) => {
    const file = await sqliteFile(...SHOP)
    await expect(bed.prepare('shop.sqlite', file, { query })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  test('that is broken is refused, and the engine goes on', async () => {
    const file = await sqliteFile(...SHOP)
    await expect(bed.prepare('a.sqlite', 'id,name\n')).rejects.toMatchObject({
      message: '"a.sqlite" cannot be read as a SQLite database: it is no SQLite database.'
    })
    await expect(bed.prepare('a.sqlite', file.slice(0, file.length - 5_000))).rejects.toMatchObject({
      code: 'INVALID_INPUT'
    })
    for (let at = 100; at < file.length; at += 4_111) {
      const changed = file.slice()
      changed.fill(0xff, at, at + 64)
      await bed.prepare('changed.sqlite', changed).catch((thrown: unknown) => {
        expect(thrown).toMatchObject({ code: 'INVALID_INPUT' })
      })
    }
    expect(await bed.rows(await bed.prepare('fine.csv', 'a\n1\n'))).toEqual([{ a: 1 }])
  })
})

describe('a DuckDB file', () => {
  const duckdbFile = async (): Promise<Blob> => {
    const packed = Uint8Array.from(atob(SMALL_DUCKDB), (sign) => sign.charCodeAt(0))
    const body = new Blob([packed]).stream()
    return new Response(body.pipeThrough(new DecompressionStream('gzip'))).blob()
  }

  test('has its first table read with its own types', async () => {
    const source = await bed.prepare('small.duckdb', await duckdbFile())
    expect(await bed.rows(source)).toEqual([
      { id: 9223372036854775807n, price: '12.50', day: '1815-12-10', name: 'Zoë', none: null },
      { id: 2, price: '0.25', day: null, name: '', none: 'x' }
    ])
    expect(source.notes).toEqual(['Table "orders" was read; 2 of 3 were not: people, cheap.'])
  })

  test('has another table, a view or a query read', async () => {
    const file = await duckdbFile()
    expect(await bed.rows(await bed.prepare('small.duckdb', file, { table: 'people' }))).toEqual([
      { name: 'Ada' }
    ])
    expect(
      await bed.rows(await bed.prepare('small.duckdb', file, { query: 'SELECT sum(price) AS s FROM orders' }))
    ).toEqual([{ s: '12.75' }])
  })

  test.each([
    'DELETE FROM orders',
    'SELECT 1); DROP TABLE orders; SELECT (1',
    `COPY orders TO 'data/x.csv'`,
    `SELECT * FROM read_csv('/etc/passwd')`
  ])('refuses a query that does more than read: %s', async (query) => {
    await expect(bed.prepare('small.duckdb', await duckdbFile(), { query })).rejects.toMatchObject({
      code: 'INVALID_INPUT'
    })
  })

  test('that is broken is refused, and the engine goes on', async () => {
    const bytes = new Uint8Array(await (await duckdbFile()).arrayBuffer())
    await expect(bed.prepare('cut.duckdb', bytes.slice(0, 20_000))).rejects.toMatchObject({
      code: expect.any(String)
    })
    expect(await bed.rows(await bed.prepare('fine.csv', 'a\n1\n'))).toEqual([{ a: 1 }])
  })
})
