import { expect, test } from 'vitest'
import { copyDatabase, startCopy } from './copy-database.ts'
import { openMemoryDatabase } from './open-database.ts'

const ROWS = 8_000

const filled = async () => {
  const database = await openMemoryDatabase()
  database.script(`CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
    INSERT INTO t SELECT i, printf('%01000d', i) FROM n`)
  return database
}

test('others are heard while a database is copied, and the copy is whole', async () => {
  const [from, to] = [await filled(), await openMemoryDatabase()]
  let heard = 0
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {
    heard += 1
    port2.postMessage(null)
  }
  port2.postMessage(null)
  await copyDatabase(from, to)
  port1.close()
  expect(heard).toBeGreaterThan(3)
  expect(to.allOnce('SELECT count(*) AS n, sum(CAST(text AS INTEGER)) AS sum FROM t')).toEqual(
    from.allOnce('SELECT count(*) AS n, sum(id) AS sum FROM t')
  )
  from.close()
  to.close()
})

test('a database that somebody keeps busy is not waited for without an end, and nothing of the copy stays', async () => {
  const [from, to] = [await filled(), await openMemoryDatabase()]
  from.script('BEGIN IMMEDIATE; DELETE FROM t')
  await expect(copyDatabase(from, to)).rejects.toThrow('is busy and could not be copied')
  expect(to.allOnce('SELECT name FROM sqlite_schema')).toEqual([])
  from.script('ROLLBACK')
  const copy = startCopy(from, to)
  expect(copy.step(-1)).toBe(true)
  copy.end()
  from.close()
  to.close()
})
