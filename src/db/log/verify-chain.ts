import type { ChainDifference, ChainFinding, ChainProgress, ChainReport } from '../log-port.ts'
import type { Row } from '../ports.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { createChainHashes, isSameHash, splitHashes, type SealHeader } from './chain-hashes.ts'
import { EVENT_COLUMN_LIST } from './event-rows.ts'

const FINDINGS_LIMIT = 20
const SEALS = `SELECT last_position, first_position, event_count, event_hashes, previous_sha256, sha256, sealed_at
  FROM log_seals WHERE last_position > ? ORDER BY last_position LIMIT 1`
const RANGE = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE position > ? AND position <= ? ORDER BY position`
const COUNTS = `SELECT (SELECT count(*) FROM log_seals) AS seals,
  (SELECT coalesce(sum(event_count), 0) FROM log_seals) AS sealed,
  (SELECT sha256 FROM log_seals ORDER BY last_position DESC LIMIT 1) AS head,
  (SELECT count(*) FROM events WHERE position > (SELECT coalesce(max(last_position), 0) FROM log_seals)) AS unsealed`

/** Every event after one position and up to another, by position, wherever it lies. */
export type RangeReader = (after: number, upTo: number) => Promise<Row[]>

type Seal = SealHeader & { readonly sha256: string; readonly hashes: Uint8Array }

const toSeal = (row: Row): Seal => ({
  firstPosition: Number(row['first_position']),
  lastPosition: Number(row['last_position']),
  eventCount: Number(row['event_count']),
  previousSha256: row['previous_sha256'] === null ? null : String(row['previous_sha256']),
  sealedAt: String(row['sealed_at']),
  sha256: String(row['sha256']),
  hashes: row['event_hashes'] instanceof Uint8Array ? row['event_hashes'] : new Uint8Array()
})

const positionOf = (row: Row | undefined): number | undefined =>
  row === undefined ? undefined : Number(row['position'])

const indexOfHash = (hashes: readonly Uint8Array[], wanted: Uint8Array | undefined, from: number): number =>
  hashes.findIndex((hash, index) => index > from && isSameHash(hash, wanted))

/** Where a block's events first differ from those that were sealed. Hashes hold positions: equal is the same event. */
const compareBlock = (
  rows: readonly Row[],
  found: readonly Uint8Array[],
  sealed: readonly Uint8Array[],
  after: number
): ChainDifference | undefined => {
  const count = Math.max(found.length, sealed.length)
  for (let index = 0; index < count; index += 1) {
    if (isSameHash(found[index], sealed[index])) continue
    const row = rows[index]
    if (row === undefined || indexOfHash(sealed, found[index], index) !== -1) {
      return {
        kind: 'missing-event',
        after: positionOf(rows[index - 1]) ?? after,
        before: positionOf(row) ?? null
      }
    }
    const isInserted = sealed[index] === undefined || indexOfHash(found, sealed[index], index) !== -1
    return {
      kind: isInserted ? 'inserted-event' : 'changed-event',
      position: Number(row['position']),
      eventId: String(row['id'])
    }
  }
  return undefined
}

/**
 * Hashes a log anew, seal by seal, and names where it differs from its chain. Asks for one seal's events at a time;
 * between two of them others may use the database.
 *
 * @param args.inTurn does a read when it is its turn; at once where none is given
 * @param args.readRange reads events that do not all stand in the table, and may throw for those that are damaged
 */
export const verifyChain = async (
  database: SqliteDatabase,
  args: {
    readonly inTurn?: <T>(read: () => T) => Promise<T>
    readonly readRange?: RangeReader
    readonly onProgress?: ((progress: ChainProgress) => void) | undefined
  } = {}
): Promise<ChainReport> => {
  const hashes = await createChainHashes()
  const { inTurn = async (read) => read(), onProgress = () => undefined } = args
  const { readRange = (after, upTo) => inTurn(() => database.all(RANGE, [after, upTo])) } = args
  const counts = await inTurn(() => database.all(COUNTS)[0])
  const ofEvents = Number(counts?.['sealed'])
  const findings: ChainFinding[] = []
  let before: Seal | null = null
  let checkedEvents = 0

  const differenceIn = async (seal: Seal, previous: Seal | null): Promise<ChainDifference | undefined> => {
    if (hashes.ofSeal(seal, seal.hashes) !== seal.sha256) return { kind: 'changed-seal' }
    if (seal.previousSha256 !== (previous?.sha256 ?? null)) return { kind: 'broken-link' }
    const after = previous?.lastPosition ?? 0
    try {
      const rows = await readRange(after, seal.lastPosition)
      return compareBlock(rows, rows.map(hashes.ofEvent), splitHashes(seal.hashes), after)
    } catch (thrown) {
      return { kind: 'unreadable', message: thrown instanceof Error ? thrown.message : String(thrown) }
    }
  }

  for (;;) {
    const after: number = before?.lastPosition ?? 0
    // oxlint-disable-next-line no-await-in-loop -- a chain is followed link by link
    const row = await inTurn(() => database.all(SEALS, [after])[0])
    if (row === undefined) break
    const seal = toSeal(row)
    // oxlint-disable-next-line no-await-in-loop -- see above
    const difference = await differenceIn(seal, before)
    if (difference !== undefined && findings.length < FINDINGS_LIMIT)
      findings.push({ ...difference, sealedUpTo: seal.lastPosition })
    before = seal
    checkedEvents += seal.eventCount
    onProgress({ checkedEvents, ofEvents })
  }
  return {
    isIntact: findings.length === 0,
    findings,
    seals: Number(counts?.['seals']),
    sealedEvents: ofEvents,
    unsealedEvents: Number(counts?.['unsealed']),
    headSha256: counts?.['head'] == null ? null : String(counts['head'])
  }
}
