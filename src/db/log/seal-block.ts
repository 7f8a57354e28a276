import { FlowForgeError, type Row } from '../ports.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { joinHashes, type ChainHashes } from './chain-hashes.ts'
import { EVENT_COLUMN_LIST } from './event-rows.ts'

/** The most events and bytes of one seal. */
export const SEAL_EVENTS = 1_000
const SEAL_BYTES = 4 * 1024 * 1024
/** The most events that are hashed at one go, while others' calls wait: some milliseconds. */
const PIECE = 100

export const LAST_SEAL =
  'SELECT last_position, sha256, sealed_at FROM log_seals ORDER BY last_position DESC LIMIT 1'
/** The first event is taken however large it is. */
const BLOCK_END = `SELECT max(position) AS position FROM (
    SELECT position, row_number() OVER byPosition AS place, sum(size) OVER byPosition AS bytes FROM (
      SELECT position, octet_length(payload_json) + coalesce(octet_length(metadata_json), 0) AS size FROM events
      WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT ${SEAL_EVENTS})
    WINDOW byPosition AS (ORDER BY position))
  WHERE place = 1 OR bytes <= ${SEAL_BYTES}`
const EVENTS = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE position > ? AND position <= ?
  ORDER BY position LIMIT ${PIECE}`
export const SEAL = `INSERT INTO log_seals (last_position, first_position, event_count, event_hashes, previous_sha256, sha256,
  sealed_at) VALUES (?, ?, ?, ?, ?, ?, ?)`

/** Does a piece of work while nobody else uses the database; answers with null where no more of it is wanted. */
export type Step = <T>(writes: boolean, work: () => T) => Promise<T | null>

type Bounds = { readonly last: Row | undefined; readonly after: number; readonly end: number | null }

const boundsOf = (database: SqliteDatabase, upTo: number): Bounds => {
  const [last] = database.all(LAST_SEAL)
  const after = Number(last?.['last_position'] ?? 0)
  const [found] = database.all(BLOCK_END, [after, upTo])
  return { last, after, end: found?.['position'] == null ? null : Number(found['position']) }
}

/**
 * Seals the next block up to `upTo`, a step at a time: what is committed does not change any more, so that others may use
 * the database between two of them. One block at a time. Answers with its last position, null where there is nothing to
 * seal or no more is wanted.
 */
export const sealBlock = async (
  database: SqliteDatabase,
  args: {
    readonly step: Step
    readonly hashes: ChainHashes
    readonly now: () => string
    readonly upTo: number
  }
): Promise<number | null> => {
  const { step, hashes, now, upTo } = args
  const bounds = await step(false, () => boundsOf(database, upTo))
  if (bounds === null || bounds.end === null) return null
  const { last, after, end } = bounds
  const found: { position: number; hash: Uint8Array }[] = []
  while (found.at(-1)?.position !== end) {
    const from = found.at(-1)?.position ?? after
    // oxlint-disable-next-line no-await-in-loop -- a piece a step is the point
    const piece = await step(false, () =>
      database
        .all(EVENTS, [from, end])
        .map((row) => ({ position: Number(row['position']), hash: hashes.ofEvent(row) }))
    )
    if (piece === null) return null
    if (piece.length === 0)
      throw new FlowForgeError('INTERNAL', `Events up to ${end} were there, and are not any more.`)
    found.push(...piece)
  }
  const header = {
    firstPosition: found[0]?.position ?? end,
    lastPosition: end,
    eventCount: found.length,
    previousSha256: last === undefined ? null : String(last['sha256']),
    sealedAt: now()
  }
  const eventHashes = joinHashes(found.map(({ hash }) => hash))
  const values = [
    end,
    header.firstPosition,
    header.eventCount,
    eventHashes,
    header.previousSha256,
    hashes.ofSeal(header, eventHashes),
    header.sealedAt
  ]
  return step(true, () => {
    database.run(SEAL, values)
    return end
  })
}
