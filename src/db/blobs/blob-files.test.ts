import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS } from '../migrations/migrations.ts'
import { openMemoryDatabase } from '../sqlite/open-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { createTransactions, type Transactions } from '../sqlite/transactions.ts'
import { createBlobFiles } from './blob-files.ts'
import { createBlobStore, INLINE_LIMIT } from './blob-store.ts'
import type { FileStore } from './file-store.ts'
import { memoryFileStore } from './memory-file-store.ts'

const now = () => '2026-01-01T00:00:00.000Z'
const data = new Uint8Array(INLINE_LIMIT + 1_000).fill(3)

let database: SqliteDatabase
let transactions: Transactions
beforeEach(async () => {
  database = await openMemoryDatabase()
  await migrate(database, MIGRATIONS, now)
  transactions = createTransactions(database)
})
afterEach(async () => {
  await transactions.close()
  database.close()
})

const storeOver = (files: FileStore) => {
  const blobFiles = createBlobFiles(database, transactions, files)
  return createBlobStore({ database, transactions, files: blobFiles, now, scope: null })
}
const nameIn = (): string => String(database.all('SELECT file_name FROM blobs')[0]?.['file_name'])

test('a file goes after the commit, not before', async () => {
  const files = memoryFileStore()
  const store = storeOver(files)
  await store.put({ key: 'k', data })
  const name = nameIn()
  await transactions.run(null, async () => {
    await store.remove({ key: 'k' })
    expect(await files.open(name)).not.toBeNull()
  })
  // Removals are queued by the commit; one more call comes after them.
  await store.remove({ key: 'none' })
  expect(await files.open(name)).toBeNull()
})

test('a file goes with the last of its keys, and when it is replaced', async () => {
  const files = memoryFileStore()
  const store = storeOver(files)
  await store.put({ key: 'k', data })
  await store.put({ key: 'l', data })
  const name = nameIn()
  await store.remove({ key: 'k' })
  expect(await files.open(name)).not.toBeNull()
  await store.put({ key: 'l', data: data.slice(1) })
  expect(await files.open(name)).toBeNull()
})

test('the file of a put that was rolled back goes', async () => {
  const files = memoryFileStore()
  const store = storeOver(files)
  let name = ''
  const attempt = transactions.run(null, async () => {
    await store.put({ key: 'k', data })
    name = nameIn()
    throw new Error('no')
  })
  await expect(attempt).rejects.toThrow('no')
  await store.remove({ key: 'none' })
  expect(await files.open(name)).toBeNull()
})

test('a removal that comes between a file and its row leaves the file there', async () => {
  const files = memoryFileStore()
  let removal: Promise<void> | undefined
  const store = storeOver({
    ...files,
    stage: async (stream) => {
      const staged = await files.stage(stream)
      return {
        ...staged,
        keep: async () => {
          await staged.keep()
          if (nameIn() !== staged.name) return
          removal = store.remove({ key: 'old' })
          // By then the removal has been committed.
          await transactions.perform(null, false, () => undefined)
        }
      }
    }
  })
  await store.put({ key: 'old', data })
  await store.put({ key: 'new', data })
  await removal
  expect(database.all('SELECT key FROM blobs')).toEqual([{ key: 'new' }])
  expect((await store.get({ key: 'new' }))?.data).toEqual(data)
})

test('bytes that come while their file is being removed wait for it, and are stored anew', async () => {
  const files = memoryFileStore()
  let put: Promise<void> | undefined
  const store = storeOver({
    ...files,
    remove: async (name) => {
      put = store.put({ key: 'new', data })
      // Long enough for a put that does not wait.
      while (database.all('SELECT key FROM blobs').length === 0 && waited-- > 0) {
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await files.remove(name)
    }
  })
  let waited = 50
  await store.put({ key: 'old', data })
  await store.remove({ key: 'old' })
  await put
  expect((await store.get({ key: 'new' }))?.data).toEqual(data)
})
