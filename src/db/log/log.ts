import type { LogPort } from '../log-port.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import { createSealing } from './sealing.ts'
import { verifyChain, type RangeReader } from './verify-chain.ts'

export type Log = {
  readonly port: LogPort
  /** Ends what goes on in the background. */
  readonly stop: () => Promise<void>
}

/** The keeping of the log over one open database. */
export const createLog = (
  database: SqliteDatabase,
  transactions: Transactions,
  now: () => string,
  /** Reads what is archived, too. */
  readRange: RangeReader
): Log => {
  const sealing = createSealing(database, transactions, now)
  return {
    port: {
      chain: sealing.state,
      seal: sealing.sealAll,
      verify: (onProgress) =>
        verifyChain(database, {
          inTurn: (read) => transactions.perform(null, false, read),
          readRange,
          onProgress
        })
    },
    stop: sealing.stop
  }
}
