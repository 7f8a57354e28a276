import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openMemoryDatabase } from './open-database.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { createTransactions, type Transactions } from './transactions.ts'

const IDLE_LIMIT_MS = 60

let database: SqliteDatabase
let transactions: Transactions
beforeEach(async () => {
  database = await openMemoryDatabase()
  database.script('CREATE TABLE t (n INTEGER)')
  transactions = createTransactions(database, IDLE_LIMIT_MS)
})
afterEach(async () => {
  await transactions.close()
  database.close()
})
const insert = (n: number) =>
  transactions.perform(null, true, () => database.run('INSERT INTO t VALUES (?)', [n]))
const rows = () => database.allOnce('SELECT n FROM t ORDER BY rowid').map((row) => row['n'])

test('a transaction that waits for one of its own calls is not stuck for ever', async () => {
  const attempt = transactions.run(null, async () => {
    await Promise.resolve()
    await insert(1)
  })
  await expect(attempt).rejects.toMatchObject({
    code: 'TIMEOUT',
    message: expect.stringContaining('context')
  })
  await insert(2)
  expect(rows()).toEqual([2])
})

test('only who has waited for the whole limit is refused', async () => {
  let late: Promise<void> | undefined
  const begun = performance.now()
  const attempt = transactions.run(null, async () => {
    await Promise.resolve()
    setTimeout(() => {
      late = insert(2)
    }, IDLE_LIMIT_MS / 2)
    await insert(1).catch(() => undefined)
  })
  await attempt
  expect(performance.now() - begun).toBeGreaterThan(IDLE_LIMIT_MS - 5)
  await late
  expect(rows()).toEqual([2])
})

test('nobody is refused while the transaction, or one nested in it, is at work', async () => {
  const begun = performance.now()
  const attempt = transactions.run(null, (outer) =>
    transactions.run(outer, async (inner) => {
      while (performance.now() - begun < 3 * IDLE_LIMIT_MS) {
        await new Promise((resolve) => setTimeout(resolve, 5))
        await transactions.perform(inner, false, () => rows())
      }
    })
  )
  const waiting = insert(1)
  await attempt
  await waiting
  expect(rows()).toEqual([1])
})

test('who comes alone is served at once; those who come while somebody was share a commit', async () => {
  const commits: number[] = []
  transactions.onCommit(() => commits.push(rows().length))
  const first = insert(1)
  await Promise.resolve()
  expect(commits).toEqual([1])
  // As messages do, they come one by one, each in a task of its own; these are there before anybody can be told.
  const { port1, port2 } = new MessageChannel()
  const others = new Promise<void>((resolve, reject) => {
    const inserted: Promise<void>[] = []
    port1.onmessage = ({ data: n }: MessageEvent<number>) => {
      inserted.push(insert(n))
      if (n === 4) Promise.all(inserted).then(() => resolve(), reject)
    }
  })
  for (const n of [2, 3, 4]) port2.postMessage(n)
  await first
  await others
  port1.close()
  expect(rows()).toEqual([1, 2, 3, 4])
  expect(commits.length).toBeLessThan(4)
})

test('a read inside a transaction sees it, and writes no savepoint for itself', async () => {
  const run = vi.spyOn(database, 'run')
  await transactions.run(null, async (scope) => {
    await transactions.perform(scope, true, () => database.run('INSERT INTO t VALUES (7)'))
    run.mockClear()
    expect(await transactions.perform(scope, false, () => rows())).toEqual([7])
    expect(run).not.toHaveBeenCalled()
  })
})
