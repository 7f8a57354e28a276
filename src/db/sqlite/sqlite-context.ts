import { createBlobFiles, type BlobFiles } from '../blobs/blob-files.ts'
import { createBlobStore } from '../blobs/blob-store.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { openOpfsFileStore } from '../blobs/opfs-file-store.ts'
import type { FileStore } from '../blobs/file-store.ts'
import { createBackups } from '../backup/backups.ts'
import { memoryExportFiles, opfsExportFiles, type ExportFiles } from '../backup/export-files.ts'
import { openShelf } from '../backup/shelf.ts'
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
  databases: DatabaseFiles
  backups: ReturnType<typeof createBackups>
  transactions: Transactions
  files: BlobFiles
  options: SqliteOptions
  schemaVersion: number
}

const contextFor = (parts: Parts, scope: Scope | null): DbContext => {
  const { database, databases, backups, transactions, files, options, schemaVersion } = parts
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
    backup: backups,
    close: async () => {
      await backups.close()
      await transactions.close()
      await files.settled()
      database.close()
      databases.close()
    }
  }
}

/** Where a storage's files are: databases, large blobs, and what is handed out. */
export type StoragePlace = {
  readonly databases: DatabaseFiles
  readonly blobs: FileStore
  readonly exports: ExportFiles
}

const openPlace = async (storage: 'opfs' | 'memory', directory: string): Promise<StoragePlace> => {
  if (storage === 'memory') {
    return { databases: await openMemoryFiles(), blobs: memoryFileStore(), exports: memoryExportFiles() }
  }
  const databases = await openOpfsFiles(directory)
  try {
    const blobs = await openOpfsFileStore(`${directory}-blobs`)
    return { databases, blobs, exports: opfsExportFiles(`${directory}-backups`) }
  } catch (thrown) {
    databases.close()
    throw thrown
  }
}

/** Opens the ports over SQLite in a place that is open already; closing them closes it. */
export const openContextIn = async (place: StoragePlace, options: SqliteOptions): Promise<DbContext> => {
  const { storage, migrations = MIGRATIONS, now } = options
  const { databases, blobs, exports } = place
  let opened: SqliteDatabase | null = null
  try {
    const shelf = await openShelf(databases)
    const { database, schemaVersion } = await openCurrent({
      files: databases,
      shelf,
      storage,
      migrations,
      now
    })
    opened = database
    const named = database.allOnce('SELECT DISTINCT file_name FROM blobs WHERE file_name IS NOT NULL')
    await blobs.sweep(new Set([...named.map((row) => String(row['file_name'])), ...shelf.keptBlobs()]))
    await exports.sweep()
    const transactions = createTransactions(database)
    const files = createBlobFiles(database, transactions, blobs, (name) => shelf.keptBlobs().has(name))
    const backups = createBackups({
      ...place,
      database,
      transactions,
      shelf,
      blobFiles: files,
      storage,
      migrations,
      now
    })
    return contextFor({ database, databases, backups, transactions, files, options, schemaVersion }, null)
  } catch (thrown) {
    opened?.close()
    databases.close()
    throw thrown
  }
}

/** Opens the ports over SQLite, its schema brought up to date. */
export const openSqliteContext = async (options: SqliteOptions): Promise<DbContext> =>
  openContextIn(await openPlace(options.storage, options.directory ?? DEFAULT_DIRECTORY), options)
