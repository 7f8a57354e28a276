import type { SAHPoolUtil, Sqlite3Static } from '@sqlite.org/sqlite-wasm'
import { toWriteError } from '../blobs/opfs-file-store.ts'
import { FlowForgeError } from '../flowforge-error.ts'
import { toFileFailure } from './file-failures.ts'
import { rawChunks, rawSize } from './raw-file.ts'
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts'

/** The database files of one storage, by absolute names: the current one, and whatever stands beside it. */
export type DatabaseFiles = {
  readonly names: () => string[]
  /** Opens a file for this connection alone; one that is not there begins empty. */
  readonly open: (name: string) => Promise<SqliteDatabase>
  /** Writes the database anew under a name that is free, without the pages that nothing uses. */
  readonly compactInto: (database: SqliteDatabase, name: string) => Promise<void>
  /** Streams the bytes of a database file in, replacing what has that name; nothing remains of a stream that fails. */
  readonly write: (name: string, stream: ReadableStream<Uint8Array>) => Promise<void>
  /** How many bytes a file has that nobody has open. */
  readonly size: (name: string) => number
  /** The bytes of a file that nobody has open, as they are, piece by piece: for one that no engine can read. */
  readonly chunks: (name: string) => Generator<Uint8Array<ArrayBuffer>>
  /** Of a file that nobody has open. */
  readonly remove: (name: string) => void
  /** Lets go of every file, so that the next opener need not wait for this worker's end. */
  readonly close: () => void
}

/** A file, its journal and its write-ahead log. */
const SLOTS = 3

/** The pool tells in words alone that the browser wrote less than it was given: there is no room. */
const toImportError = (thrown: unknown): unknown =>
  thrown instanceof Error && thrown.message.startsWith('Expected to write ')
    ? new FlowForgeError('STORAGE_FULL', 'The storage is full: the file could not be read in.', {}, thrown)
    : toWriteError(thrown)

/** `EXCLUSIVE` comes before the first read: only then can a file be read that was left in WAL mode. */
const openExclusive = (sqlite3: Sqlite3Static, handle: SqliteDatabase['handle']): SqliteDatabase => {
  const database = openSqliteDatabase(sqlite3, handle)
  try {
    database.script('PRAGMA locking_mode = EXCLUSIVE')
    return database
  } catch (thrown) {
    // Its file would stay open, and nobody could remove or open it again.
    database.close()
    throw thrown
  }
}

/** Reads files below SQLite, each by a connection that asks nothing. */
const rawFiles = (
  sqlite3: Sqlite3Static,
  connect: (name: string) => SqliteDatabase['handle']
): Pick<DatabaseFiles, 'size' | 'chunks'> => ({
  size: (name) => {
    const handle = connect(name)
    try {
      return rawSize(sqlite3, handle)
    } finally {
      handle.close()
    }
  },
  chunks: function* (name) {
    const handle = connect(name)
    try {
      yield* rawChunks(sqlite3, handle)
    } finally {
      handle.close()
    }
  }
})

export const poolFiles = (sqlite3: Sqlite3Static, pool: SAHPoolUtil): DatabaseFiles => {
  // The pool cannot grow while a file is being opened.
  const reserve = (): Promise<unknown> =>
    told('making room for a file', () => pool.reserveMinimumCapacity(Number(pool.getFileCount()) + SLOTS))
  /** Nothing raw leaves this room: what a file system or the engine throws is told apart. */
  const told = async <T>(what: string, work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (thrown) {
      throw (await toFileFailure(sqlite3, thrown, what)) ?? thrown
    }
  }
  return {
    names: () => pool.getFileNames(),
    compactInto: async (database, name) => {
      await reserve()
      database.allOnce('VACUUM INTO ?', [name])
    },
    open: async (name) => {
      await reserve()
      return told(`opening ${name}`, () => openExclusive(sqlite3, new pool.OpfsSAHPoolDb(name)))
    },
    write: async (name, stream) => {
      await reserve()
      const reader = stream.getReader()
      try {
        await told(`writing ${name}`, () => pool.importDb(name, async () => (await reader.read()).value))
      } catch (thrown) {
        pool.unlink(name)
        throw toImportError(thrown)
      } finally {
        reader.releaseLock()
      }
    },
    ...rawFiles(sqlite3, (name) => new pool.OpfsSAHPoolDb(name)),
    remove: (name) => {
      for (const each of [name, `${name}-journal`, `${name}-wal`]) pool.unlink(each)
    },
    close: () => {
      pool.pauseVfs()
    }
  }
}

let storages = 0

/** The same in memory. A file lasts as long as a connection to it does, so each has one that does nothing else. */
export const memoryFiles = (sqlite3: Sqlite3Static): DatabaseFiles => {
  const storage = storages++
  const keepers = new Map<string, SqliteDatabase['handle']>()
  const addressOf = (name: string): string => `file:/storage-${storage}${name}?vfs=memdb`
  const connect = (name: string) => new sqlite3.oo1.DB(addressOf(name), 'c')

  const openFile = async (name: string): Promise<SqliteDatabase> => {
    if (!keepers.has(name)) keepers.set(name, connect(name))
    return openSqliteDatabase(sqlite3, connect(name))
  }

  const read = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> => {
    const chunks: Uint8Array<ArrayBuffer>[] = []
    for await (const chunk of stream) chunks.push(new Uint8Array(chunk))
    return new Uint8Array(await new Blob(chunks).arrayBuffer())
  }

  return {
    names: () => [...keepers.keys()],
    open: openFile,
    compactInto: async (database, name) => {
      keepers.set(name, connect(name))
      database.allOnce('VACUUM INTO ?', [addressOf(name)])
    },
    write: async (name, stream) => {
      const bytes = await read(stream)
      // As the pool does: a file in memory has no write-ahead log.
      bytes.set([1, 1], 18)
      const { capi, wasm } = sqlite3
      const image = new sqlite3.oo1.DB(':memory:')
      try {
        const pointer = wasm.allocFromTypedArray(bytes)
        const flags = capi.SQLITE_DESERIALIZE_FREEONCLOSE
        const size = bytes.byteLength
        const result: number = capi.sqlite3_deserialize(image, 'main', pointer, size, size, flags)
        if (result !== capi.SQLITE_OK) throw new FlowForgeError('CORRUPT', 'The file is no database.')
        keepers.get(name)?.close()
        const target = connect(name)
        keepers.set(name, target)
        const backup = capi.sqlite3_backup_init(target, 'main', image, 'main')
        const copied: number = capi.sqlite3_backup_step(backup, -1)
        capi.sqlite3_backup_finish(backup)
        if (copied !== capi.SQLITE_DONE) throw new FlowForgeError('CORRUPT', 'The file is no whole database.')
      } finally {
        image.close()
      }
    },
    ...rawFiles(sqlite3, connect),
    remove: (name) => {
      keepers.get(name)?.close()
      keepers.delete(name)
    },
    close: () => {
      for (const keeper of keepers.values()) keeper.close()
      keepers.clear()
    }
  }
}
