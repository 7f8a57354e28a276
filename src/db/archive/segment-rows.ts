import { FlowForgeError } from '../flowforge-error.ts'
import { EVENT_COLUMN_LIST, EVENT_COLUMNS } from '../log/event-rows.ts'
import type { Row } from '../ports.ts'
import type { Bound, SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { SEGMENT_COLUMNS, toSegment, type Segment } from './segment.ts'
import type { SegmentContent } from './segment-content.ts'

const ROWS = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position`
const RECORD = `INSERT INTO archive_segments (file_name, place, sha256, bytes, content_sha256, content_bytes, event_count,
  stream_count, first_position, last_position, first_event_at, last_event_at, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING ${SEGMENT_COLUMNS}`
const INDEX_EVENTS = `INSERT INTO archived_events (position, id, segment_id, aggregate_type, event_type)
  SELECT position, id, ?1, aggregate_type, event_type FROM events WHERE position IN (SELECT value FROM json_each(?2))`
const INDEX_STREAMS = `INSERT INTO archived_streams (aggregate_type, aggregate_id, segment_id, event_count, first_seq, last_seq)
  SELECT aggregate_type, aggregate_id, ?1, count(*), min(seq), max(seq) FROM events
  WHERE position IN (SELECT value FROM json_each(?2)) GROUP BY aggregate_type, aggregate_id`
const TAKE_OUT = 'DELETE FROM events WHERE position IN (SELECT value FROM json_each(?))'
const PUT_BACK = `INSERT INTO events (${EVENT_COLUMN_LIST}) VALUES (${EVENT_COLUMNS.map(() => '?').join(', ')})`
const FORGET_EVENTS = 'DELETE FROM archived_events WHERE position BETWEEN ? AND ? AND segment_id = ?'

export const readRows = (database: SqliteDatabase, positions: readonly number[]): Row[] =>
  database.all(ROWS, [JSON.stringify(positions)])

const changes = (database: SqliteDatabase): number =>
  Number(database.sqlite3.capi.sqlite3_changes(database.handle))

const expectCount = (found: number, expected: number): void => {
  if (found === expected) return
  const message = `${found} events were moved instead of ${expected}. Nothing was changed.`
  throw new FlowForgeError('INTERNAL', message, { found, expected })
}

/** Lets a segment, whose file is there and was verified, take the place of its events. One transaction's work. */
export const takeOut = (
  database: SqliteDatabase,
  segment: Omit<Segment, 'id' | 'streams'>,
  positions: readonly number[]
): Segment => {
  const json = JSON.stringify(positions)
  const streams = `SELECT count(*) AS streams FROM (SELECT DISTINCT aggregate_type, aggregate_id FROM events
    WHERE position IN (SELECT value FROM json_each(?)))`
  const [recorded] = database
    .all(RECORD, [
      segment.fileName,
      segment.place,
      segment.sha256,
      segment.bytes,
      segment.contentSha256,
      segment.contentBytes,
      segment.events,
      Number(database.all(streams, [json])[0]?.['streams']),
      segment.firstPosition,
      segment.lastPosition,
      segment.firstEventAt,
      segment.lastEventAt,
      segment.createdAt
    ])
    .map(toSegment)
  if (recorded === undefined) throw new FlowForgeError('INTERNAL', 'A segment was not recorded.')
  database.run(INDEX_EVENTS, [recorded.id, json])
  expectCount(changes(database), segment.events)
  database.run(INDEX_STREAMS, [recorded.id, json])
  database.run(TAKE_OUT, [json])
  expectCount(changes(database), segment.events)
  return recorded
}

const toBound = (value: unknown): Bound =>
  typeof value === 'number' || typeof value === 'string' ? value : null

/** Puts all events of a segment back, and forgets it. One transaction's work. */
export const putBack = (database: SqliteDatabase, segment: Segment, content: SegmentContent): void => {
  for (const row of content.rows) {
    database.run(
      PUT_BACK,
      EVENT_COLUMNS.map((column) => toBound(row[column]))
    )
  }
  database.run(FORGET_EVENTS, [segment.firstPosition, segment.lastPosition, segment.id])
  expectCount(changes(database), content.rows.length)
  database.run('DELETE FROM archived_streams WHERE segment_id = ?', [segment.id])
  database.run('DELETE FROM archive_segments WHERE id = ?', [segment.id])
}
