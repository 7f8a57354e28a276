import sqlite3InitModule, { type Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { isHeld } from './open-database.ts'
import { toStorageError } from './sqlite-errors.ts'
import { watchVfsFailures } from './vfs-failures.ts'

let sqlite3: Sqlite3Static
const logged = vi.fn()
beforeAll(async () => {
  vi.spyOn(console, 'error').mockImplementation(logged)
  watchVfsFailures()
  sqlite3 = await sqlite3InitModule()
})
beforeEach(() => {
  logged.mockClear()
})
const map = (code: number) => toStorageError(sqlite3, new sqlite3.SQLite3Error(code), 'COMMIT')

test.each([new DOMException('no more room', 'QuotaExceededError'), new Error('Unknown write() failure.')])(
  'a write that fails with "%s" is a full storage',
  (failure) => {
    sqlite3.config.error('opfs-sahpool:', failure)
    expect(map(sqlite3.capi.SQLITE_IOERR)).toMatchObject({ code: 'STORAGE_FULL', cause: failure })
    expect(logged).toHaveBeenCalledWith('opfs-sahpool:', failure)
  }
)

test('any other failure of the file system is internal, its reason kept', () => {
  const failure = new DOMException('the handle is closed', 'InvalidStateError')
  sqlite3.config.error('opfs-sahpool:', failure)
  expect(map(sqlite3.capi.SQLITE_IOERR)).toMatchObject({ code: 'INTERNAL', cause: failure })
})

test('a failure is told once, and to errors of files alone', () => {
  const failure = new DOMException('no more room', 'QuotaExceededError')
  sqlite3.config.error('opfs-sahpool:', failure)
  expect(map(sqlite3.capi.SQLITE_CONSTRAINT).code).toBe('INVALID_INPUT')
  expect(map(sqlite3.capi.SQLITE_IOERR_READ).code).toBe('STORAGE_FULL')
  expect(map(sqlite3.capi.SQLITE_IOERR).code).toBe('INTERNAL')
  expect(map(sqlite3.capi.SQLITE_FULL).code).toBe('STORAGE_FULL')
})

test('a file is held by somebody, or it cannot be opened at all', () => {
  const message = 'Access Handles cannot be created if there is another open Access Handle or Writable stream'
  expect(isHeld(new DOMException(message, 'NoModificationAllowedError'))).toBe(true)
  expect(isHeld(new DOMException('The object is in an invalid state.', 'InvalidStateError'))).toBe(true)
  expect(isHeld(new TypeError('handle.createSyncAccessHandle is not a function'))).toBe(false)
})
