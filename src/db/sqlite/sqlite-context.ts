import type { ArchivedEvents } from '../archive/archived-events.ts'
import { openArchive, openArchiveReading } from '../archive/open-archive.ts'
import { createBlobFiles, type BlobFiles } from '../blobs/blob-files.ts'
import { createBlobStore } from '../blobs/blob-store.ts'
import { namedFiles } from '../blobs/named-files.ts'
import { exportedAfter, sweptFirst } from '../blobs/swept-first.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { openOpfsFileStore } from '../blobs/opfs-file-store.ts'
import type { FileStore } from '../blobs/file-store.ts'
import { createBackups } from '../backup/backups.ts'
import { memoryExportFiles, opfsExportFiles, type ExportFiles } from '../backup/export-files.ts'
import { openShelf } from '../backup/shelf.ts'
import { createUpkeep, openBeside, type Beside, type Upkeep } from '../health/upkeep.ts'
import { MIGRATIONS, type Migration } from '../migrations/migrations.ts'
import type { DbContext } from '../ports.ts'
import { createCopies } from './copies.ts'
import type { DatabaseFiles } from './database-files.ts'
import type { StoreWorld } from './event-appending.ts'
import { createRangeReader } from './event-reading.ts'
import { toFileFailure } from './file-failures.ts'
import { createEventStore } from './event-store.ts'
import { DEFAULT_DIRECTORY, openMemoryFiles, openOpfsFiles, startSqlite } from './open-database.ts'
import { openCurrent } from './open-current.ts'
import type { ReplicaChannel } from '../replica/messages.ts'
import { createReplicas, type Replicas } from '../replica/replica-host.ts'
import { replicaWorkers } from '../replica/replica-workers.ts'
import type { ReplicaKind } from '../replica-port.ts'
import { followPosition } from './log-position.ts'
import { openPast } from './past.ts'
import { createProjectionStore } from './projection-store.ts'
import { startReplicaFeed } from './replica-feed.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { createTransactions, type Scope, type Transactions } from './transactions.ts'

export type SqliteOptions = StoreWorld & {
  readonly storage: 'opfs' | 'memory'
  /** The folder in OPFS, `flowforge-db` where none is given; its blobs are beside it. */
  readonly directory?: string
  /** The steps of the schema; the released ones where none are given. */
  readonly migrations?: readonly Migration[]
  /** Where replicas live; each in a worker of its own where nothing else is said. */
  readonly replicas?: Readonly<Record<ReplicaKind, () => ReplicaChannel>>
}

type Parts = {
  database: SqliteDatabase
  databases: DatabaseFiles
  backups: ReturnType<typeof createBackups>
  transactions: Transactions
  beside: Beside
  upkeep: Upkeep
  archived: ArchivedEvents
  archive: ReturnType<typeof openArchive>
  files: BlobFiles
  options: SqliteOptions
  schemaVersion: number
  replicas: Replicas
  sweeping: Promise<void>
}

const contextFor = (parts: Parts, scope: Scope | null): DbContext => {
  const {
    database,
    databases,
    backups,
    transactions,
    beside,
    upkeep,
    archived,
    archive,
    files,
    options,
    schemaVersion,
    replicas,
    sweeping
  } = parts
  const { storage } = options
  return {
    eventStore: createEventStore(database, transactions, options, scope, archived),
    projectionStore: createProjectionStore(database, transactions, scope),
    blobStore: createBlobStore({ database, transactions, files, now: options.now, scope }),
    log: upkeep.log,
    archive,
    health: upkeep.health,
    tx: { runInTransaction: (fn) => transactions.run(scope, (inner) => fn(contextFor(parts, inner))) },
    replicas,
    rebuilds: createCopies(database, transactions, scope),
    openPast: ({ tables }) => openPast(tables, options.migrations ?? MIGRATIONS, options.now),
    onCommit: transactions.onCommit,
    facts: () =>
      transactions.perform(scope, false, () => {
        const [row] = database.all('SELECT coalesce(max(position), 0) AS position FROM events')
        return { storage, schemaVersion, logPosition: Number(row?.['position']) }
      }),
    backup: backups,
    close: async () => {
      replicas.close()
      await backups.close()
      await archive.close()
      await upkeep.stop()
      await transactions.close()
      await files.settled()
      // Who opens next may write what this would take for left behind.
      await sweeping
      database.close()
      beside.close()
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

export const openPlace = async (storage: 'opfs' | 'memory', directory: string): Promise<StoragePlace> => {
  if (storage === 'memory') {
    return { databases: await openMemoryFiles(), blobs: memoryFileStore(), exports: memoryExportFiles() }
  }
  const databases = await openOpfsFiles(directory)
  try {
    const blobs = await openOpfsFileStore(`${directory}-blobs`)
    return { databases, blobs, exports: opfsExportFiles(`${directory}-backups`) }
  } catch (thrown) {
    databases.close()
    throw (await toFileFailure(await startSqlite(), thrown, 'opening the storage')) ?? thrown
  }
}

/** Removes the files that no row names. What fails is left for the next opening: it takes room, and harms nobody. */
const sweep = async ({ blobs, exports }: StoragePlace, named: ReadonlySet<string>): Promise<void> => {
  try {
    await blobs.sweep(named)
    await exports.sweep()
  } catch (thrown) {
    console.error('What the last end left behind is still there', thrown)
  }
}

/** Opens the ports over SQLite in a place that is open already; closing them closes it. */
export const openContextIn = async (place: StoragePlace, options: SqliteOptions): Promise<DbContext> => {
  const { storage, directory = DEFAULT_DIRECTORY, migrations = MIGRATIONS, now } = options
  const { databases } = place
  let opened: SqliteDatabase | null = null
  let beside: Beside | null = null
  try {
    beside = await openBeside(storage, directory)
    // Whatever opening does is work, too.
    beside.mark.work()
    const shelf = await openShelf(databases)
    const isRestored = !shelf.current().isSettled
    const { database, schemaVersion } = await openCurrent({
      files: databases,
      shelf,
      storage,
      migrations,
      now
    })
    opened = database
    const named = namedFiles(database).map(({ name }) => name)
    // Nobody waits for it but who writes a file: a hand-over is as long as what stands before the first answer.
    const sweeping = sweep(place, new Set([...named, ...shelf.keptBlobs()]))
    const blobs = sweptFirst(place.blobs, sweeping)
    const transactions = createTransactions(database, undefined, beside.mark.work)
    const reading = openArchiveReading({ database, transactions, blobs, storage, directory })
    const { archived } = reading
    const upkeep = createUpkeep({
      database,
      transactions,
      beside,
      isRestored,
      world: options,
      readRange: createRangeReader(database, transactions, archived),
      verifyArchive: (onSegment) => archive.verify({ onSegment })
    })
    const isKept = (name: string): boolean => shelf.keptBlobs().has(name)
    const files = createBlobFiles(database, transactions, upkeep.inRoom(blobs), isKept)
    const archive: Parts['archive'] = openArchive({ database, transactions }, reading, {
      blobFiles: files,
      isKept,
      seal: upkeep.log.seal,
      now
    })
    const backups = createBackups({
      databases,
      exports: exportedAfter(place.exports, sweeping),
      blobs: reading.named,
      database,
      transactions,
      shelf,
      blobFiles: files,
      storage,
      migrations,
      now
    })
    const replicas = createReplicas({
      startFeed: (send, fail) => startReplicaFeed(database, transactions, send, fail),
      open: options.replicas ?? replicaWorkers,
      ...followPosition(database, transactions)
    })
    return contextFor(
      {
        database,
        databases,
        backups,
        transactions,
        beside,
        upkeep,
        archived,
        archive,
        files,
        options,
        schemaVersion,
        replicas,
        sweeping
      },
      null
    )
  } catch (thrown) {
    opened?.close()
    beside?.close()
    databases.close()
    throw (await toFileFailure(await startSqlite(), thrown, 'opening the storage')) ?? thrown
  }
}

/** Opens the ports over SQLite, its schema brought up to date. */
export const openSqliteContext = async (options: SqliteOptions): Promise<DbContext> =>
  openContextIn(await openPlace(options.storage, options.directory ?? DEFAULT_DIRECTORY), options)
