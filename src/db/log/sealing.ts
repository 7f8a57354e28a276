import type { ChainState } from '../log-port.ts'
import { createBackgroundTurns } from '../sqlite/background-turns.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import { createChainHashes } from './chain-hashes.ts'
import { LAST_SEAL, SEAL_EVENTS, sealBlock, type Step } from './seal-block.ts'

/** How often is looked, in ms, while the log grows; and after how many looks at which it did not grow, a short tail is sealed. */
const LOOK_MS = 1_000
const LOOKS_AT_REST = 15

const STATE = `SELECT coalesce(sum(event_count), 0) AS events, count(*) AS seals,
  coalesce(max(last_position), 0) AS position FROM log_seals`
/** Not part of the totals, which read every seal with its hashes: it is asked each second while the log grows. */
const SEALED_UP_TO = 'SELECT coalesce(max(last_position), 0) AS position FROM log_seals'
/** What salvages had to seal anew, and when: the earliest place counts from its time on. */
const SEALED_ANEW = `SELECT report_json ->> '$.sealedAnew.after' AS "after", created_at FROM health_reports
  WHERE kind = 'check' AND report_json ->> '$.sealedAnew.after' IS NOT NULL ORDER BY 1, created_at DESC LIMIT 1`
/** Counted as far as one block: it is asked each second while the log grows. */
const NEXT_BLOCK = `SELECT (SELECT max(position) FROM events) AS head,
  (SELECT count(*) FROM (SELECT 1 FROM events WHERE position > ? LIMIT ${SEAL_EVENTS})) AS events`
const UNSEALED = 'SELECT count(*) AS events FROM events WHERE position > ?'
/** Seals the log's events, in the background as it grows and on demand. Appends wait for one step of it at the most. */
export type Sealing = {
  state(): Promise<ChainState>
  /** Seals what is committed now. */
  sealAll(): Promise<ChainState>
  /** Ends the sealing in the background; answers when none is under way. */
  stop(): Promise<void>
}

export const createSealing = (
  database: SqliteDatabase,
  transactions: Transactions,
  now: () => string,
  lookMs = LOOK_MS
): Sealing => {
  const hashing = createChainHashes()
  // Who seals is told.
  hashing.catch(() => undefined)
  let timer: ReturnType<typeof setTimeout> | null = null
  let isStopped = false
  let working: Promise<unknown> = Promise.resolve()
  let looksAtRest = 0
  let lastHead = 0
  /** How many wait for the whole log to be sealed: the background makes way for them. */
  let asked = 0
  const background = createBackgroundTurns(transactions)

  const state = (): Promise<ChainState> =>
    transactions.perform(null, false, () => {
      const [totals] = database.all(STATE)
      const [last] = database.all(LAST_SEAL)
      const [unsealed] = database.all(UNSEALED, [Number(totals?.['position'])])
      const [anew] = database.all(SEALED_ANEW)
      return {
        seals: Number(totals?.['seals']),
        sealedEvents: Number(totals?.['events']),
        unsealedEvents: Number(unsealed?.['events']),
        headSha256: last === undefined ? null : String(last['sha256']),
        sealedAt: last === undefined ? null : String(last['sealed_at']),
        sealedAnew:
          anew === undefined ? null : { after: Number(anew['after']), at: String(anew['created_at']) }
      }
    })

  /** At once: somebody waits for it. */
  const stepAtOnce: Step = (writes, work) => transactions.perform(null, writes, work)
  const stepBeside: Step = async (writes, work) => {
    if (isStopped || asked > 0) return null
    return background.take(writes, work)
  }

  const sealUpTo = async (upTo: number, step: Step, isEnough: (sealed: number) => boolean): Promise<void> => {
    const hashes = await hashing
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- each block builds on the one before
      const sealed = await sealBlock(database, { step, hashes, now, upTo })
      if (sealed === null || isEnough(sealed)) return
    }
  }

  /** One seals at a time; whoever comes later waits. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = working.then(work)
    working = done.catch(() => undefined)
    return done
  }

  const nextBlock = (): Promise<{ events: number; head: number }> =>
    transactions.perform(null, false, () => {
      const [row] = database.all(NEXT_BLOCK, [Number(database.all(SEALED_UP_TO)[0]?.['position'])])
      return { events: Number(row?.['events']), head: Number(row?.['head'] ?? 0) }
    })

  const look = async (): Promise<void> => {
    timer = null
    const { events, head } = await nextBlock()
    looksAtRest = head === lastHead ? looksAtRest + 1 : 0
    lastHead = head
    if (events === 0 || isStopped) return
    if (looksAtRest >= LOOKS_AT_REST) await sealUpTo(head, stepBeside, () => false)
    // Whole blocks alone while it grows: what is left waits for more, or for rest.
    else if (events >= SEAL_EVENTS) await sealUpTo(head, stepBeside, (sealed) => head - sealed < SEAL_EVENTS)
    later()
  }

  const later = (): void => {
    if (isStopped || timer !== null) return
    timer = setTimeout(() => {
      inTurn(look).catch((thrown: unknown) => {
        // The log is none the worse; the next event has it looked at again.
        if (!isStopped) console.error('The log could not be sealed', thrown)
      })
    }, lookMs)
  }

  const stopHearing = transactions.onCommit(({ tables }) => {
    if (tables.has('events')) later()
  })
  later()

  return {
    state,
    sealAll: () => {
      asked += 1
      return inTurn(async () => {
        const { head } = await nextBlock()
        await sealUpTo(head, stepAtOnce, () => false)
        return state()
      }).finally(() => {
        asked -= 1
        later()
      })
    },
    stop: async () => {
      isStopped = true
      stopHearing()
      background.stop()
      if (timer !== null) clearTimeout(timer)
      await working
    }
  }
}
