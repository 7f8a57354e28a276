import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'

const PAGES = 128

/** The bytes of a database's file, page by page, never whole in memory; nobody may write to it meanwhile. */
export function* readPages(database: SqliteDatabase): Generator<Uint8Array<ArrayBuffer>> {
  const [facts] = database.allOnce('SELECT page_count, page_size FROM pragma_page_count, pragma_page_size')
  const count = Number(facts?.['page_count'])
  const size = Number(facts?.['page_size'])
  for (let first = 1; first <= count; first += PAGES) {
    const last = Math.min(first + PAGES - 1, count)
    const rows = database.all('SELECT pgno, data FROM sqlite_dbpage WHERE pgno BETWEEN ? AND ?', [
      first,
      last
    ])
    const bytes = new Uint8Array(rows.length * size)
    for (const row of rows) {
      if (row['data'] instanceof Uint8Array) bytes.set(row['data'], (Number(row['pgno']) - first) * size)
    }
    yield bytes
  }
}
