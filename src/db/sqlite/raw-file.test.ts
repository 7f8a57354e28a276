import { expect, test } from 'vitest'
import { openMemoryFiles } from './open-database.ts'

test('a file is read as it is, in pieces, however many there are', async () => {
  const files = await openMemoryFiles()
  try {
    const database = await files.open('/one.db')
    database.script('CREATE TABLE t (id INTEGER PRIMARY KEY, bytes BLOB)')
    for (let id = 0; id < 40; id += 1) {
      database.run('INSERT INTO t VALUES (?, ?)', [id, new Uint8Array(70_000).fill(id)])
    }
    const whole = database.sqlite3.capi.sqlite3_js_db_export(database.handle)
    database.close()
    const chunks = [...files.chunks('/one.db')]
    expect(chunks.length).toBeGreaterThan(2)
    expect(Math.max(...chunks.map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(1024 * 1024)
    expect(files.size('/one.db')).toBe(whole.byteLength)
    const read = new Uint8Array(await new Blob(chunks).arrayBuffer())
    expect(Buffer.compare(read, whole)).toBe(0)
  } finally {
    files.close()
  }
})
