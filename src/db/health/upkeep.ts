import type { FileStore } from '../blobs/file-store.ts'
import type { HealthPort } from '../health-port.ts'
import type { LogPort } from '../log-port.ts'
import { createLog } from '../log/log.ts'
import type { RangeReader } from '../log/verify-chain.ts'
import { openOnceFree } from '../sqlite/open-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import { createHealth, type VerifyArchive } from './health.ts'
import { createOpenMark, memoryMarkFile, openMarkFile, type OpenMark } from './open-mark.ts'
import { createReports } from './reports.ts'
import { openReserve, type Reserve } from './reserve.ts'
import { createRoom, filesInRoom } from './room.ts'

/** What lies beside the database's own files: how it was left, and room that is kept free. */
export type Beside = { readonly mark: OpenMark; readonly reserve: Reserve | null; readonly close: () => void }

/** To be opened by whoever holds the database's files. What is in memory has no reserve. */
export const openBeside = async (storage: 'opfs' | 'memory', directory: string): Promise<Beside> => {
  if (storage === 'memory') {
    const mark = createOpenMark(memoryMarkFile())
    return { mark, reserve: null, close: mark.close }
  }
  const file = await openMarkFile(`${directory}.mark`, openOnceFree)
  try {
    const reserve = await openReserve(`${directory}.reserve`, openOnceFree)
    const mark = createOpenMark(file)
    return {
      mark,
      reserve,
      close: () => {
        reserve.close()
        mark.close()
      }
    }
  } catch (thrown) {
    file.close()
    throw thrown
  }
}

/** What goes on in the background of an open database: sealing the log, watching its file and its room. */
export type Upkeep = {
  readonly log: LogPort
  readonly health: HealthPort
  /** Files that are refused while the storage is full. */
  readonly inRoom: (files: FileStore) => FileStore
  /** Answers when nothing goes on any more; to be called before the transactions are closed. */
  readonly stop: () => Promise<void>
}

export const createUpkeep = (args: {
  database: SqliteDatabase
  transactions: Transactions
  beside: Beside
  isRestored: boolean
  world: { readonly now: () => string; readonly newId: () => string }
  readRange: RangeReader
  verifyArchive: VerifyArchive
}): Upkeep => {
  const { database, transactions, beside, isRestored, world, readRange, verifyArchive } = args
  const reports = createReports(database, transactions, world)
  const room = beside.reserve === null ? null : createRoom(beside.reserve, reports)
  database.full.current = () => room?.ranFull()
  const log = createLog(database, transactions, world.now, readRange)
  const health = createHealth({
    database,
    transactions,
    mark: beside.mark,
    reports,
    isRestored,
    verifyLog: (onProgress) => log.port.verify(onProgress),
    verifyArchive
  })
  return {
    log: log.port,
    health: health.port,
    inRoom: (files) => (room === null ? files : filesInRoom(files, room)),
    stop: async () => {
      room?.stop()
      await log.stop()
      await health.stop()
    }
  }
}
