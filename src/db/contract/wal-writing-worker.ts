import { expose } from 'comlink'
import { openMainDatabase, openOpfsFiles } from '../sqlite/open-database.ts'
import type { DatabaseFiles } from '../sqlite/database-files.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'

/** A database in OPFS, and what reaches its files: counted, and refused while the disk is to be full. */
const NAME = '/notes.db'
type Handle = { write(bytes: Uint8Array, options?: { at: number }): number; flush(): void }
// The types of a worker are not at hand where tests are checked.
const { prototype: files } = Reflect.get(globalThis, 'FileSystemSyncAccessHandle') as { prototype: Handle }
const { write, flush } = files
const counts = { writes: 0, flushes: 0 }
let isFull = false
let watched = ''
let isSeen = false

files.write = function (this: Handle, bytes, options) {
  if (isFull) throw new DOMException('There is no room.', 'QuotaExceededError')
  counts.writes += 1
  if (watched !== '' && new TextDecoder('latin1').decode(new Uint8Array(bytes)).includes(watched))
    isSeen = true
  return write.call(this, bytes, options)
}
files.flush = function (this: Handle) {
  counts.flushes += 1
  flush.call(this)
}

let place: DatabaseFiles
let database: SqliteDatabase

const api = {
  async open(directory: string): Promise<void> {
    place = await openOpfsFiles(directory)
    database = await openMainDatabase(place, NAME, 'opfs')
  },
  close(): void {
    database.close()
    place.close()
  },
  run(sql: string): void {
    database.script(sql)
  },
  ask(sql: string): unknown {
    return database.allOnce(sql)
  },
  /** What a statement throws, as text; empty where it throws nothing. */
  failure(sql: string): string {
    try {
      database.script(sql)
      return ''
    } catch (thrown) {
      return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : String(thrown)
    }
  },
  fill(full: boolean): void {
    isFull = full
  },
  /** From now on it is noted whether this is among what is written. */
  watch(text: string): void {
    watched = text
    isSeen = false
  },
  wasWritten(): boolean {
    return isSeen
  },
  /** What so many commits of one row each do to the files. */
  count(commits: number): { writes: number; flushes: number } {
    Object.assign(counts, { writes: 0, flushes: 0 })
    for (let number = 0; number < commits; number += 1)
      database.run('INSERT INTO notes (text) VALUES (?)', ['x'])
    return { ...counts }
  }
}
export type WalWritingWorker = typeof api
expose(api)
