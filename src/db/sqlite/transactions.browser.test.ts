import { afterEach, beforeEach, expect, test } from 'vitest'
import { openMemoryDatabase } from './open-database.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { createTransactions } from './transactions.ts'

/**
 * In a browser: there a message is not delivered any more to a port that is closed, as it is in Node, and each message is
 * a task of its own.
 */
let database: SqliteDatabase
beforeEach(async () => {
  database = await openMemoryDatabase()
  database.script('CREATE TABLE t (n INTEGER)')
})
afterEach(() => database.close())

test('whoever asks again and again is answered or refused when the storage closes, and never left waiting', async () => {
  const transactions = createTransactions(database)
  let answers = 0
  const asking = (async () => {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await transactions.perform(null, false, () => database.allOnce('SELECT n FROM t'))
      answers += 1
    }
  })()
  const refused = expect(asking).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' })
  const last = transactions.perform(null, true, () => database.run('INSERT INTO t VALUES (1)'))
  await transactions.close()
  await last
  await refused
  expect(answers).toBeGreaterThan(0)
  // What stops by waiting for others may close once more.
  await transactions.close()
})

test('reads follow each other at once; who reads without end lets messages in between all the same', async () => {
  const transactions = createTransactions(database)
  const read = () => transactions.perform(null, false, () => database.allOnce('SELECT n FROM t'))
  const heard: string[] = []
  const { port1, port2 } = new MessageChannel()
  const message = new Promise<void>((resolve) => {
    port1.onmessage = () => {
      heard.push('message')
      resolve()
    }
  })
  await read()
  port2.postMessage(null)
  for (let n = 0; n < 5; n += 1) await read()
  heard.push('five reads')
  const begun = performance.now()
  while (!heard.includes('message') && performance.now() - begun < 2_000) await read()
  expect(heard).toEqual(['five reads', 'message'])
  await message
  port1.close()
  await transactions.close()
})
