import type { Row } from '../ports.ts'
import { aggregateTypeOf } from '../sqlite/event-lines.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'

/** The most events and bytes of one segment, unless a single event has more: what is moved while others wait. */
const SEGMENT_EVENTS = 4_000
const SEGMENT_BYTES = 4 * 1024 * 1024

/**
 * What an event takes up in `events` and its five indexes, less what `archived_events` keeps of it: each text once for
 * every b-tree that it stands in. Kept near the truth by a test that counts pages.
 */
const SIZE = `octet_length(payload_json) + coalesce(octet_length(metadata_json), 0) + octet_length(aggregate_id) * 2
  + octet_length(aggregate_type) + octet_length(event_type) + octet_length(tx_id) * 2
  + coalesce(octet_length(caused_by_event_id), 0) + octet_length(created_at) * 2 + 40`

const EVENTS = `SELECT e.position, e.aggregate_id, ${SIZE} AS size
  FROM json_each(?1) AS asked JOIN events e
    ON e.aggregate_type = asked.value ->> 0 AND e.aggregate_id = asked.value ->> 1
  WHERE e.position <= ?2 AND e.position < (SELECT max(position) FROM events)
  ORDER BY asked.key, e.seq`

/** Events of streams that can be moved: those up to a position, but never the log's newest. */
const movableEvents = (
  database: SqliteDatabase,
  aggregateIds: readonly string[],
  upToPosition: number
): Row[] =>
  database.all(EVENTS, [JSON.stringify(aggregateIds.map((id) => [aggregateTypeOf(id), id])), upToPosition])

export const measureStreams = (
  database: SqliteDatabase,
  aggregateIds: readonly string[]
): { streams: number; events: number; bytes: number } => {
  const [row] = database.all(
    `SELECT count(*) AS events, count(DISTINCT aggregate_id) AS streams, coalesce(sum(size), 0) AS bytes FROM (${EVENTS})`,
    [JSON.stringify(aggregateIds.map((id) => [aggregateTypeOf(id), id])), Number.MAX_SAFE_INTEGER]
  )
  return {
    streams: Number(row?.['streams']),
    events: Number(row?.['events']),
    bytes: Number(row?.['bytes'])
  }
}

type Piece = { readonly positions: readonly number[]; readonly bytes: number }

/** One stream's events; more than one piece where they would not fit into a segment. */
const piecesOf = (rows: readonly Row[]): Piece[] => {
  const pieces: { positions: number[]; bytes: number }[] = []
  let aggregateId: unknown
  for (const row of rows) {
    const size = Number(row['size'])
    const last = pieces.at(-1)
    const fits =
      last !== undefined &&
      row['aggregate_id'] === aggregateId &&
      last.positions.length < SEGMENT_EVENTS &&
      last.bytes + size <= SEGMENT_BYTES
    if (fits) {
      last.positions.push(Number(row['position']))
      last.bytes += size
    } else pieces.push({ positions: [Number(row['position'])], bytes: size })
    aggregateId = row['aggregate_id']
  }
  return pieces
}

/** Positions that go into a segment each: whole streams together, in the order given, as many as fit. */
export const planSegments = (
  database: SqliteDatabase,
  aggregateIds: readonly string[],
  upToPosition: number
): number[][] => {
  const segments: number[][] = []
  let bytes = 0
  for (const piece of piecesOf(movableEvents(database, aggregateIds, upToPosition))) {
    const last = segments.at(-1)
    const fits =
      last !== undefined &&
      last.length + piece.positions.length <= SEGMENT_EVENTS &&
      bytes + piece.bytes <= SEGMENT_BYTES
    if (fits) {
      last.push(...piece.positions)
      bytes += piece.bytes
    } else {
      segments.push([...piece.positions])
      bytes = piece.bytes
    }
  }
  return segments
}
