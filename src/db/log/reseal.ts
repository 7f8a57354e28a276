import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { createChainHashes, joinHashes } from './chain-hashes.ts'
import { SEAL, SEAL_EVENTS } from './seal-block.ts'
import type { RangeReader } from './verify-chain.ts'

const NEVER_DELETED = 'log_seals_are_never_deleted'

/** Takes out the seals behind a position; the trigger that refuses it is lifted meanwhile. */
const removeSeals = (database: SqliteDatabase, after: number): void => {
  const [trigger] = database.allOnce('SELECT sql FROM sqlite_schema WHERE name = ?', [NEVER_DELETED])
  database.script(`BEGIN; DROP TRIGGER ${NEVER_DELETED}`)
  database.run('DELETE FROM log_seals WHERE last_position > ?', [after])
  database.script(`${String(trigger?.['sql'])}; COMMIT`)
}

/**
 * Makes the seals behind a position anew, over the events that are there now: for what lies behind it the chain vouches
 * from then on, and not for what was before. For a database that is not in use yet.
 *
 * @returns how many events are sealed anew
 */
export const reseal = async (
  database: SqliteDatabase,
  args: { readonly after: number; readonly readRange: RangeReader; readonly now: () => string }
): Promise<number> => {
  const { after, readRange, now } = args
  const hashes = await createChainHashes()
  const [old] = database.allOnce('SELECT coalesce(max(last_position), 0) AS head FROM log_seals')
  const head = Number(old?.['head'])
  removeSeals(database, after)
  const [last] = database.allOnce('SELECT sha256 FROM log_seals ORDER BY last_position DESC LIMIT 1')
  let previousSha256 = last === undefined ? null : String(last['sha256'])
  let events = 0
  for (let from = after; from < head; from += SEAL_EVENTS) {
    // oxlint-disable-next-line no-await-in-loop -- one seal's events in memory at a time
    const rows = await readRange(from, Math.min(from + SEAL_EVENTS, head))
    if (rows.length === 0) continue
    const [firstPosition, lastPosition] = [rows[0], rows.at(-1)].map((row) => Number(row?.['position']))
    const eventHashes = joinHashes(rows.map(hashes.ofEvent))
    const header = {
      firstPosition: Number(firstPosition),
      lastPosition: Number(lastPosition),
      eventCount: rows.length,
      previousSha256,
      sealedAt: now()
    }
    const sha256 = hashes.ofSeal(header, eventHashes)
    database.run(SEAL, [
      header.lastPosition,
      header.firstPosition,
      header.eventCount,
      eventHashes,
      previousSha256,
      sha256,
      header.sealedAt
    ])
    previousSha256 = sha256
    events += rows.length
  }
  return events
}
