import sqlite3InitModule, { type SAHPoolUtil, type Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { beforeAll, expect, test } from 'vitest'
import { FlowForgeError } from '../flowforge-error.ts'
import { poolFiles } from './database-files.ts'
import { toFileFailure } from './file-failures.ts'

let sqlite3: Sqlite3Static
beforeAll(async () => {
  sqlite3 = await sqlite3InitModule()
})

const GB = 1_000_000_000
const failure = (thrown: unknown, left = GB) =>
  toFileFailure(sqlite3, thrown, 'opening the storage', async () => left)
const sqliteError = (result: number): Error =>
  Object.assign(new Error('sqlite3 result code'), { resultCode: result })
const flush = new DOMException('Flushing failed.', 'UnknownError')

test('a full storage is told from a disk that fails, and both from a browser without such files', async () => {
  const quota = new DOMException('No room.', 'QuotaExceededError')
  expect(await failure(quota)).toMatchObject({ code: 'STORAGE_FULL', cause: quota })
  expect(await failure(flush, 1_000)).toMatchObject({ code: 'STORAGE_FULL' })
  expect(await failure(flush)).toMatchObject({
    code: 'INTERNAL',
    message: expect.stringContaining('failed at opening the storage (Flushing failed.)')
  })
  expect(await failure(new TypeError('createSyncAccessHandle is not a function'))).toBeNull()
  expect(await failure(new DOMException('No.', 'SecurityError'))).toBeNull()
})

test('an error of the engine is one of ours, and one that was ours already stays', async () => {
  const { capi } = sqlite3
  expect(await failure(sqliteError(capi.SQLITE_CANTOPEN))).toMatchObject({ code: 'INTERNAL' })
  expect(await failure(sqliteError(capi.SQLITE_IOERR), 0)).toMatchObject({ code: 'STORAGE_FULL' })
  expect(await failure(sqliteError(capi.SQLITE_FULL))).toMatchObject({ code: 'STORAGE_FULL' })
  expect(await failure(sqliteError(capi.SQLITE_NOTADB))).toMatchObject({ code: 'CORRUPT' })
  const ours = new FlowForgeError('CONFLICT', 'x')
  expect(await failure(ours)).toBe(ours)
})

test('nothing raw escapes a pool whose files fail: neither when they are opened nor when room is made for one', async () => {
  // What a flush that fails looks like to the pool's users, which no test can make a real one do.
  const pool = (work: Partial<SAHPoolUtil>) =>
    poolFiles(sqlite3, {
      getFileCount: () => 0,
      reserveMinimumCapacity: async () => 6,
      ...work
    } as SAHPoolUtil)
  // Called with `new`, as the pool's own class is.
  function Failing(): never {
    throw sqliteError(sqlite3.capi.SQLITE_CANTOPEN)
  }
  const opening = pool({ OpfsSAHPoolDb: Failing as unknown as SAHPoolUtil['OpfsSAHPoolDb'] }).open('/x.db')
  await expect(opening).rejects.toBeInstanceOf(FlowForgeError)
  const growing = pool({ reserveMinimumCapacity: () => Promise.reject(flush) }).open('/x.db')
  await expect(growing).rejects.toMatchObject({ code: 'INTERNAL', name: 'FlowForgeError' })
})
