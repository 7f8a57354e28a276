import { createBlobFiles, type BlobFiles } from '../blobs/blob-files.ts'
import { createBlobStore } from '../blobs/blob-store.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { openOpfsFileStore } from '../blobs/opfs-file-store.ts'
import { openShelf, type Shelf } from '../backup/shelf.ts'
import { MIGRATIONS, type Migration } from '../migrations/migrations.ts'
import type { DbContext } from '../ports.ts'
import type { DatabaseFiles } from './database-files.ts'
import type { StoreWorld } from './event-appending.ts'
import { createEventStore } from './event-store.ts'
import { DEFAULT_DIRECTORY, openMemoryFiles, openOpfsFiles } from './open-database.ts'
import { openCurrent } from './open-current.ts'
import { createProjectionStore } from './projection-store.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { createTransactions, type Scope, type Transactions } from './transactions.ts'

export type SqliteOptions = StoreWorld & {
  readonly storage: 'opfs' | 'memory'
  /** The folder in OPFS, `flowforge-db` where none is given; its blobs are beside it. */
  readonly directory?: string
  /** The steps of the schema; the released ones where none are given. */
  readonly migrations?: readonly Migration[]
}

type Parts = {
  database: SqliteDatabase
  databaseFiles: DatabaseFiles
  shelf: Shelf
  transactions: Transactions
  files: BlobFiles
  options: SqliteOptions
  schemaVersion: number
}

const contextFor = (parts: Parts, scope: Scope | null): DbContext => {
  const { database, databaseFiles, transactions, files, options, schemaVersion } = parts
  const { storage } = options
  return {
    eventStore: createEventStore(database, transactions, options, scope),
    projectionStore: createProjectionStore(database, transactions, scope),
    blobStore: createBlobStore({ database, transactions, files, now: options.now, scope }),
    tx: { runInTransaction: (fn) => transactions.run(scope, (inner) => fn(contextFor(parts, inner))) },
    onCommit: transactions.onCommit,
    facts: () =>
      transactions.perform(scope, false, () => {
        const [row] = database.all('SELECT coalesce(max(position), 0) AS position FROM events')
        return { storage, schemaVersion, logPosition: Number(row?.['position']) }
      }),
    close: async () => {
      await transactions.close()
      await files.settled()
      database.close()
      databaseFiles.close()
    }
  }
}

/** Opens the ports over SQLite, its schema brought up to date. */
export const openSqliteContext = async (options: SqliteOptions): Promise<DbContext> => {
  const { storage, directory = DEFAULT_DIRECTORY, migrations = MIGRATIONS, now } = options
  const databaseFiles = await (storage === 'opfs' ? openOpfsFiles(directory) : openMemoryFiles())
  let opened: SqliteDatabase | null = null
  try {
    const shelf = await openShelf(databaseFiles)
    const { database, schemaVersion } = await openCurrent({
      files: databaseFiles,
      shelf,
      storage,
      migrations,
      now
    })
    opened = database
    const store = storage === 'opfs' ? await openOpfsFileStore(`${directory}-blobs`) : memoryFileStore()
    const named = database.allOnce('SELECT DISTINCT file_name FROM blobs WHERE file_name IS NOT NULL')
    await store.sweep(new Set([...named.map((row) => String(row['file_name'])), ...shelf.keptBlobs()]))
    const transactions = createTransactions(database)
    const files = createBlobFiles(database, transactions, store, (name) => shelf.keptBlobs().has(name))
    return contextFor({ database, databaseFiles, shelf, transactions, files, options, schemaVersion }, null)
  } catch (thrown) {
    opened?.close()
    databaseFiles.close()
    throw thrown
  }
}
