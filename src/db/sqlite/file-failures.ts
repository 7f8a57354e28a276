import type { Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { FlowForgeError, isFlowForgeError } from '../flowforge-error.ts'
import { freeRoom } from './room.ts'
import { FULL_WORDS, resultCodeOf, toStorageError } from './sqlite-errors.ts'
import { isOutOfRoom } from './vfs-failures.ts'

/** With less than this left, in bytes, a file system that fails without a reason has failed for want of room. */
const NO_ROOM = 64 * 1024

/** What browsers call an operation on a file that failed below them: the disk, or no room on it. */
const FAILED = new Set(['UnknownError', 'InvalidStateError'])

/**
 * What a file system threw. A full storage is told from a disk that fails; null for what is neither, as where the browser
 * has no such files.
 */
export const toDiskFailure = async (
  thrown: unknown,
  what: string,
  left: () => Promise<number> = freeRoom
): Promise<FlowForgeError | null> => {
  if (isFlowForgeError(thrown)) return thrown
  if (!(thrown instanceof Error)) return null
  const isFailed = thrown instanceof DOMException && FAILED.has(thrown.name)
  if (isOutOfRoom(thrown) || (isFailed && (await left()) < NO_ROOM)) {
    return new FlowForgeError('STORAGE_FULL', FULL_WORDS, { what }, thrown)
  }
  if (!isFailed) return null
  const message = `The disk, or the browser's file system on it, failed at ${what} (${thrown.message}). Reload the page; if it happens again, save a copy of your data and check the disk.`
  return new FlowForgeError('INTERNAL', message, { what }, thrown)
}

/** The same of what was thrown while the engine opened or made a database's files, outside of any statement. */
export const toFileFailure = async (
  sqlite3: Sqlite3Static,
  thrown: unknown,
  what: string,
  left: () => Promise<number> = freeRoom
): Promise<FlowForgeError | null> => {
  if (isFlowForgeError(thrown) || resultCodeOf(thrown) === undefined) return toDiskFailure(thrown, what, left)
  const error = toStorageError(sqlite3, thrown, what)
  if (error.code !== 'INTERNAL' || (await left()) >= NO_ROOM) return error
  return new FlowForgeError('STORAGE_FULL', FULL_WORDS, error.details, thrown)
}
