import type { ArchiveFinding } from '../archive-port.ts'
import { FlowForgeError } from '../flowforge-error.ts'
import type { CheckFinding, CheckReport, HealthPort } from '../health-port.ts'
import type { ChainReport } from '../log-port.ts'
import { createBackgroundTurns } from '../sqlite/background-turns.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import { checkFile } from './check-file.ts'
import type { OpenMark } from './open-mark.ts'
import type { Reports } from './reports.ts'

export type Health = { readonly port: HealthPort; readonly stop: () => Promise<void> }

/** After an unclean end, the check waits until the first screen has been drawn. */
const CHECK_AFTER_MS = 3_000

/** Reads every archive segment through; answers with those that cannot be read. What `onSegment` throws ends it. */
export type VerifyArchive = (onSegment: () => void) => Promise<readonly ArchiveFinding[]>

/** Watches over one open database. */
export const createHealth = (args: {
  database: SqliteDatabase
  transactions: Transactions
  mark: OpenMark
  reports: Reports
  /** The database has just taken the place of another. */
  isRestored: boolean
  verifyLog: (onProgress: () => void) => Promise<ChainReport>
  verifyArchive: VerifyArchive
  checkAfterMs?: number
}): Health => {
  const { database, transactions, mark, reports, isRestored, verifyLog, verifyArchive } = args
  const { checkAfterMs = CHECK_AFTER_MS } = args
  const background = createBackgroundTurns(transactions)
  let checking: string | null = null
  let underWay: Promise<CheckReport> | null = null
  let isStopped = false
  let latest: CheckReport | null = null

  const expectOpen = (): void => {
    if (isStopped) throw new FlowForgeError('CANCELED', 'The storage is being closed.')
  }
  const checkLog = async (): Promise<CheckFinding[]> => {
    const { isIntact, findings } = await verifyLog(expectOpen)
    if (isIntact) return []
    const [first] = findings
    const where = first === undefined ? '' : ` (${first.kind}, sealed up to event ${first.sealedUpTo})`
    return [{ table: 'events', message: `The log is not the one that its hash chain seals${where}.` }]
  }

  const check = async (trigger: CheckReport['trigger']): Promise<CheckReport> => {
    const begun = performance.now()
    checking = ''
    try {
      const file = await checkFile(
        database,
        (work) => {
          expectOpen()
          return background.take(false, work)
        },
        (table) => {
          checking = table
        }
      )
      checking = 'archive_segments'
      const segments = (await verifyArchive(expectOpen)).filter(({ isDamaged }) => isDamaged)
      const findings = [
        ...file.findings,
        ...segments.map(({ message }) => ({ table: 'archive_segments', message })),
        ...(trigger === 'restored' ? await checkLog() : [])
      ]
      const ms = Math.round(performance.now() - begun)
      const isSound = findings.length === 0
      const report: CheckReport = { kind: 'check', isSound, trigger, tables: file.tables, findings, ms }
      if (isStopped)
        throw new FlowForgeError('CANCELED', 'The storage was closed before the check had ended.')
      if (isSound) mark.sound()
      else mark.damage()
      latest = report
      await reports.keep('check', isSound ? 'sound' : 'damaged', report).catch((thrown: unknown) => {
        // A damaged file may not take it; `state` tells of it, and so does the next opening.
        if (isSound) throw thrown
        console.error('What was found cannot be stored in the damaged database', thrown)
      })
      return report
    } finally {
      checking = null
      underWay = null
    }
  }
  const checkOnce = (trigger: CheckReport['trigger']): Promise<CheckReport> => (underWay ??= check(trigger))

  /** One that somebody asked for does not read the log; what was restored is checked whole after it. */
  const checkRestored = async (): Promise<CheckReport> => {
    await underWay?.catch(() => undefined)
    return checkOnce('restored')
  }

  const wasUnclean = mark.lastEnd.kind === 'unclean' || mark.lastEnd.kind === 'damaged'
  const timer =
    wasUnclean || isRestored
      ? setTimeout(() => {
          const checked = isRestored ? checkRestored() : checkOnce('unclean-end')
          checked.catch((thrown: unknown) => {
            if (!isStopped) console.error('The database could not be checked', thrown)
          })
        }, checkAfterMs)
      : undefined

  return {
    port: {
      state: async () => ({ lastEnd: mark.lastEnd, checking, latest }),
      check: () => checkOnce('asked')
    },
    stop: async () => {
      isStopped = true
      background.stop()
      clearTimeout(timer)
      await underWay?.catch(() => undefined)
    }
  }
}
