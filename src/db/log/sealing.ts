import type { ChainState } from '../log-port.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import { createChainHashes, joinHashes, type ChainHashes } from './chain-hashes.ts'
import { EVENT_COLUMN_LIST } from './event-rows.ts'

/** The most events and bytes of one seal: what is hashed at one go, while others' calls wait. */
export const SEAL_EVENTS = 1_000
const SEAL_BYTES = 4 * 1024 * 1024
/** How often is looked, in ms, while the log grows; and after how many looks at which it did not grow, a short tail is sealed. */
const LOOK_MS = 1_000
const LOOKS_AT_REST = 15

const STATE = `SELECT coalesce(sum(event_count), 0) AS events, count(*) AS seals,
  coalesce(max(last_position), 0) AS position FROM log_seals`
/** Not part of the totals, which read every seal with its hashes: it is asked each second while the log grows. */
const SEALED_UP_TO = 'SELECT coalesce(max(last_position), 0) AS position FROM log_seals'
const LAST_SEAL = 'SELECT last_position, sha256, sealed_at FROM log_seals ORDER BY last_position DESC LIMIT 1'
/** What salvages had to seal anew, and when: the earliest place counts from its time on. */
const SEALED_ANEW = `SELECT report_json ->> '$.sealedAnew.after' AS "after", created_at FROM health_reports
  WHERE kind = 'check' AND report_json ->> '$.sealedAnew.after' IS NOT NULL ORDER BY 1, created_at DESC LIMIT 1`
const UNSEALED = 'SELECT count(*) AS events, max(position) AS head FROM events WHERE position > ?'
/** The first event is taken however large it is. */
const BLOCK_END = `SELECT max(position) AS position FROM (
    SELECT position, row_number() OVER byPosition AS place, sum(size) OVER byPosition AS bytes FROM (
      SELECT position, octet_length(payload_json) + coalesce(octet_length(metadata_json), 0) AS size FROM events
      WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT ${SEAL_EVENTS})
    WINDOW byPosition AS (ORDER BY position))
  WHERE place = 1 OR bytes <= ${SEAL_BYTES}`
const BLOCK = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE position > ? AND position <= ? ORDER BY position`
export const SEAL = `INSERT INTO log_seals (last_position, first_position, event_count, event_hashes, previous_sha256, sha256,
  sealed_at) VALUES (?, ?, ?, ?, ?, ?, ?)`

/** Seals the log's events, in the background as it grows and on demand. Appends wait for one block at the most. */
export type Sealing = {
  state(): Promise<ChainState>
  /** Seals what is committed now. */
  sealAll(): Promise<ChainState>
  /** Ends the sealing in the background; answers when none is under way. */
  stop(): Promise<void>
}

/** Seals the next block up to `upTo`; answers with its last position, null where there is nothing to seal. */
const sealBlock = (
  database: SqliteDatabase,
  hashes: ChainHashes,
  now: () => string,
  upTo: number
): number | null => {
  const [last] = database.all(LAST_SEAL)
  const after = Number(last?.['last_position'] ?? 0)
  const [end] = database.all(BLOCK_END, [after, upTo])
  if (end?.['position'] == null) return null
  const rows = database.all(BLOCK, [after, Number(end['position'])])
  const lastPosition = Number(rows.at(-1)?.['position'])
  const header = {
    firstPosition: Number(rows[0]?.['position']),
    lastPosition,
    eventCount: rows.length,
    previousSha256: last === undefined ? null : String(last['sha256']),
    sealedAt: now()
  }
  const eventHashes = joinHashes(rows.map(hashes.ofEvent))
  database.run(SEAL, [
    lastPosition,
    header.firstPosition,
    header.eventCount,
    eventHashes,
    header.previousSha256,
    hashes.ofSeal(header, eventHashes),
    header.sealedAt
  ])
  return lastPosition
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

  const sealUpTo = async (upTo: number, isEnough: (sealed: number) => boolean): Promise<void> => {
    const hashes = await hashing
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- each block in a turn of its own: others' calls come in between
      const sealed = await transactions.perform(null, true, () => sealBlock(database, hashes, now, upTo))
      if (sealed === null || isEnough(sealed)) return
    }
  }

  /** One seals at a time; whoever comes later waits. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = working.then(work)
    working = done.catch(() => undefined)
    return done
  }

  const unsealed = (): Promise<{ events: number; head: number }> =>
    transactions.perform(null, false, () => {
      const [row] = database.all(UNSEALED, [Number(database.all(SEALED_UP_TO)[0]?.['position'])])
      return { events: Number(row?.['events']), head: Number(row?.['head'] ?? 0) }
    })

  const look = async (): Promise<void> => {
    timer = null
    const { events, head } = await unsealed()
    looksAtRest = head === lastHead ? looksAtRest + 1 : 0
    lastHead = head
    if (events === 0 || isStopped) return
    if (looksAtRest >= LOOKS_AT_REST) await sealUpTo(head, () => isStopped)
    // Whole blocks alone while it grows: what is left waits for more, or for rest.
    else if (events >= SEAL_EVENTS) await sealUpTo(head, (sealed) => isStopped || head - sealed < SEAL_EVENTS)
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
    sealAll: () =>
      inTurn(async () => {
        const { head } = await unsealed()
        await sealUpTo(head, () => false)
        return state()
      }),
    stop: async () => {
      isStopped = true
      stopHearing()
      if (timer !== null) clearTimeout(timer)
      await working
    }
  }
}
