import type { Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { FlowForgeError, isFlowForgeError, type ErrorCode } from '../flowforge-error.ts'
import { isOutOfRoom, takeVfsFailure } from './vfs-failures.ts'

const PRIMARY = 0xff

/** SQLite's result code, if it is one of its errors; the extended code where there is one. */
export const resultCodeOf = (thrown: unknown): number | undefined => {
  const code: unknown =
    typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, 'resultCode') : undefined
  return typeof code === 'number' ? code : undefined
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

const codeOf = (capi: Sqlite3Static['capi'], result: number): ErrorCode => {
  if (result === capi.SQLITE_CONSTRAINT_UNIQUE || result === capi.SQLITE_CONSTRAINT_PRIMARYKEY)
    return 'CONFLICT'
  if (result === capi.SQLITE_CONSTRAINT_TRIGGER) return 'NOT_ALLOWED'
  switch (result & PRIMARY) {
    case capi.SQLITE_CONSTRAINT:
    case capi.SQLITE_ERROR:
    case capi.SQLITE_MISMATCH:
    case capi.SQLITE_RANGE:
    case capi.SQLITE_TOOBIG:
      return 'INVALID_INPUT'
    case capi.SQLITE_FULL:
      return 'STORAGE_FULL'
    case capi.SQLITE_CORRUPT:
    case capi.SQLITE_NOTADB:
      return 'CORRUPT'
    case capi.SQLITE_INTERRUPT:
      return 'TIMEOUT'
    case capi.SQLITE_AUTH:
    case capi.SQLITE_READONLY:
      return 'NOT_ALLOWED'
    default:
      return 'INTERNAL'
  }
}

const isOfFiles = (capi: Sqlite3Static['capi'], result: number): boolean =>
  (result & PRIMARY) === capi.SQLITE_IOERR || (result & PRIMARY) === capi.SQLITE_CANTOPEN

export const FULL_WORDS =
  'The storage is full. Delete results or sources that you no longer need, then try again.'
const WORDS: Partial<Record<ErrorCode, string>> = {
  STORAGE_FULL: FULL_WORDS,
  CORRUPT: 'The database file is damaged.'
}

/** What SQLite threw, as an error of ours: told apart by what a caller can do about it, the cause kept. */
export const toStorageError = (sqlite3: Sqlite3Static, thrown: unknown, sql: string): FlowForgeError => {
  if (isFlowForgeError(thrown)) return thrown
  const result = resultCodeOf(thrown)
  const message = messageOf(thrown).replace(/^SQLITE_\w+: sqlite3 result code \d+: /, '')
  if (result === undefined) return new FlowForgeError('INTERNAL', message, { sql }, thrown)
  const failure = isOfFiles(sqlite3.capi, result) ? takeVfsFailure() : undefined
  const code = isOutOfRoom(failure) ? 'STORAGE_FULL' : codeOf(sqlite3.capi, result)
  const unique = /^UNIQUE constraint failed: (.+)$/.exec(message)?.[1]
  const words = unique === undefined ? message : `There is already a row with the same ${unique}.`
  return new FlowForgeError(
    code,
    WORDS[code] ?? words,
    { sql, sqlite: message, resultCode: result },
    failure ?? thrown
  )
}
