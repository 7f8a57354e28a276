import { afterEach, beforeEach, expect, test } from 'vitest'
import { testWorld } from '../contract/store-contract.ts'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS } from '../migrations/migrations.ts'
import { createEventStore } from '../sqlite/event-store.ts'
import { openMemoryDatabase } from '../sqlite/open-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { createTransactions, type Transactions } from '../sqlite/transactions.ts'
import { countEntries } from './index-entries.ts'

const world = testWorld()
const EVENTS = 3_000
const ENTRIES = 100

let database: SqliteDatabase
let transactions: Transactions
beforeEach(async () => {
  database = await openMemoryDatabase()
  await migrate(database, MIGRATIONS, world.now)
  transactions = createTransactions(database)
  const store = createEventStore(database, transactions, world, null)
  // Some transactions of many events and many of one; types that many events have, or one.
  const event = (index: number) => ({
    aggregateId: `a:${index % 7}`,
    eventType: index % 10 === 0 ? `T${index}` : 'T',
    payload: { index }
  })
  await store.appendMany(Array.from({ length: EVENTS / 2 }, (_, index) => event(index)))
  await Promise.all(Array.from({ length: EVENTS / 2 }, (_, index) => store.append(event(index))))
})
afterEach(async () => {
  await transactions.close()
  database.close()
})

const indexes = (): string[] =>
  database.allOnce('PRAGMA index_list(events)').map((index) => String(index['name']))

test('all entries of every index are counted, in pieces of which each reads little', async () => {
  const { capi } = database.sqlite3
  let most = 0
  /** Tens of the engine's steps that a turn takes. */
  const inTurn = async <T>(work: () => T): Promise<T> => {
    let steps = 0
    const look = (): 0 => {
      steps += 1
      return 0
    }
    capi.sqlite3_progress_handler(database.handle, 10, look, 0)
    try {
      return work()
    } finally {
      capi.sqlite3_progress_handler(database.handle, 0, 0, 0)
      most = Math.max(most, steps)
    }
  }
  const counted: Record<string, number> = {}
  for (const index of indexes()) {
    counted[index] = await countEntries(database, inTurn, { table: 'events', index, most: EVENTS }, ENTRIES)
  }
  expect(Object.keys(counted)).toHaveLength(5)
  expect(new Set(Object.values(counted))).toEqual(new Set([EVENTS]))
  // Some steps an entry, and a piece is read twice at the most: to its end, and to be counted.
  expect(most * 10).toBeLessThan(ENTRIES * 40)
})

test('an index that has more entries than there can be is given up', async () => {
  const asked = { table: 'events', index: 'events_by_time', most: EVENTS / 2 }
  await expect(countEntries(database, async (work) => work(), asked, ENTRIES)).rejects.toThrow('more entries')
})

test('an index over what may be NULL is counted at one go', async () => {
  const asked = { table: 'run_logs', index: 'run_logs_by_step', most: 0 }
  expect(await countEntries(database, async (work) => work(), asked, ENTRIES)).toBe(0)
})
