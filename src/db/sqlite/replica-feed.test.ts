import { expect, test } from 'vitest'
import { testWorld } from '../contract/store-contract.ts'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS } from '../migrations/migrations.ts'
import type { FeedMessage } from '../replica/messages.ts'
import { openMemoryDatabase } from './open-database.ts'
import { startReplicaFeed } from './replica-feed.ts'
import { createTransactions } from './transactions.ts'

const COUNT = 60
const BYTES = 300_000

test('rows with large values are copied a few at a time, the first ones too', async () => {
  const database = await openMemoryDatabase()
  await migrate(database, MIGRATIONS, testWorld().now)
  database.script(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${COUNT})
    INSERT INTO blobs (key, size, sha256, bytes, created_at)
    SELECT 'blob ' || i, ${BYTES}, 'x' || i, zeroblob(${BYTES}), 'now' FROM n`)
  const transactions = createTransactions(database)
  const told: FeedMessage[] = []
  const isCopied = new Promise<void>((resolve, reject) => {
    const feed = startReplicaFeed(
      database,
      transactions,
      (message) => {
        told.push(message)
        if (message.type !== 'copied') return
        feed.stop()
        resolve()
      },
      reject
    )
  })
  await isCopied
  const slices = told.filter((message) => message.type === 'rows' && message.table === 'blobs')
  const sizes = slices.map((message) => (message.type === 'rows' ? message.rows.byteLength : 0))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(2 * COUNT * BYTES)
  expect(Math.max(...sizes)).toBeLessThan(8 * 2 * BYTES * 1.1)
  await transactions.close()
  database.close()
})
