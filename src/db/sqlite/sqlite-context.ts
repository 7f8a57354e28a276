import { createBlobFiles, type BlobFiles } from '../blobs/blob-files.ts'
import { createBlobStore } from '../blobs/blob-store.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { openOpfsFileStore } from '../blobs/opfs-file-store.ts'
import { createHealth, type Health } from '../health/health.ts'
import {
  createOpenMark,
  memoryMarkFile,
  openMarkFile,
  type MarkFile,
  type OpenMark
} from '../health/open-mark.ts'
import { createReports } from '../health/reports.ts'
import { openReserve } from '../health/reserve.ts'
import { createRoom, filesInRoom, type Room } from '../health/room.ts'
import { createLog, type Log } from '../log/log.ts'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS } from '../migrations/migrations.ts'
import type { DbContext } from '../ports.ts'
import { createEventStore, type StoreWorld } from './event-store.ts'
import { DEFAULT_DIRECTORY, openMemoryDatabase, openOnceFree, openOpfsDatabase } from './open-database.ts'
import { createProjectionStore } from './projection-store.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import { createTransactions, type Scope, type Transactions } from './transactions.ts'

export type SqliteOptions = StoreWorld & {
  readonly storage: 'opfs' | 'memory'
  /** The folder in OPFS, `flowforge-db` where none is given; its blobs are beside it. */
  readonly directory?: string
}

type Parts = {
  database: SqliteDatabase
  transactions: Transactions
  files: BlobFiles
  log: Log
  health: Health
  mark: OpenMark
  room: Room | null
  options: SqliteOptions
  schemaVersion: number
}

const contextFor = (parts: Parts, scope: Scope | null): DbContext => {
  const { database, transactions, files, log, health, options, schemaVersion } = parts
  const { storage } = options
  return {
    eventStore: createEventStore(database, transactions, options, scope),
    projectionStore: createProjectionStore(database, transactions, scope),
    blobStore: createBlobStore({ database, transactions, files, now: options.now, scope }),
    log: log.port,
    health: health.port,
    tx: { runInTransaction: (fn) => transactions.run(scope, (inner) => fn(contextFor(parts, inner))) },
    onCommit: transactions.onCommit,
    facts: () =>
      transactions.perform(scope, false, () => {
        const [row] = database.all('SELECT coalesce(max(position), 0) AS position FROM events')
        return { storage, schemaVersion, logPosition: Number(row?.['position']) }
      }),
    close: async () => {
      await log.stop()
      await health.stop()
      parts.room?.stop()
      await transactions.close()
      await files.settled()
      database.close()
      parts.mark.close()
    }
  }
}

/** Opens the ports over SQLite, its schema brought up to date. */
export const openSqliteContext = async (options: SqliteOptions): Promise<DbContext> => {
  const { storage, directory = DEFAULT_DIRECTORY, now } = options
  const database = await (storage === 'opfs' ? openOpfsDatabase(directory) : openMemoryDatabase())
  let markFile: MarkFile | null = null
  let room: Room | null = null
  try {
    markFile = storage === 'opfs' ? await openMarkFile(`${directory}.mark`, openOnceFree) : memoryMarkFile()
    const mark = createOpenMark(markFile)
    mark.work()
    const schemaVersion = await migrate(database, MIGRATIONS, now)
    const files = storage === 'opfs' ? await openOpfsFileStore(`${directory}-blobs`) : memoryFileStore()
    const named = database.allOnce('SELECT DISTINCT file_name FROM blobs WHERE file_name IS NOT NULL')
    await files.sweep(new Set(named.map((row) => String(row['file_name']))))
    const transactions = createTransactions(database, undefined, mark.work)
    const reports = createReports(database, transactions, options)
    if (storage === 'opfs') {
      room = createRoom(await openReserve(`${directory}.reserve`, openOnceFree), reports)
      database.full.current = room.ranFull
    }
    const blobFiles = createBlobFiles(
      database,
      transactions,
      filesInRoom(files, () => room)
    )
    const log = createLog(database, transactions, now)
    const health = createHealth({ database, transactions, mark, reports })
    return contextFor(
      { database, transactions, files: blobFiles, log, health, mark, room, options, schemaVersion },
      null
    )
  } catch (thrown) {
    database.close()
    markFile?.close()
    room?.stop()
    throw thrown
  }
}
