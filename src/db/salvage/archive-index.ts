import { SEGMENT_COLUMNS, toSegment, type Segment } from '../archive/segment.ts'
import { SegmentDamage, readBack, type SegmentFiles } from '../archive/segment-files.ts'
import { isFlowForgeError } from '../flowforge-error.ts'
import type { Row } from '../ports.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'

/** An event stands in the log or in a segment: what names neither a segment that is there, nor an event that is not in the log. */
const WITHOUT_SEGMENT = 'segment_id NOT IN (SELECT id FROM archive_segments)'
const STRAY_EVENTS = `DELETE FROM archived_events WHERE ${WITHOUT_SEGMENT} OR position IN (SELECT position FROM events)`
const STRAY_STREAMS = `DELETE FROM archived_streams WHERE ${WITHOUT_SEGMENT}`
const SHORT = `SELECT ${SEGMENT_COLUMNS} FROM archive_segments AS s
  WHERE event_count > (SELECT count(*) FROM archived_events
                       WHERE position BETWEEN s.first_position AND s.last_position AND segment_id = s.id)
     OR stream_count > (SELECT count(*) FROM archived_streams WHERE segment_id = s.id) ORDER BY id`
const ADD_EVENT = `INSERT INTO archived_events (position, id, segment_id, aggregate_type, event_type)
  SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM events WHERE position = ?1 OR id = ?2)
  ON CONFLICT DO NOTHING`
const ADD_STREAM = `INSERT INTO archived_streams (aggregate_type, aggregate_id, segment_id, event_count, first_seq, last_seq)
  VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

const changesOf = ({ sqlite3, handle }: SqliteDatabase): number =>
  Number(sqlite3.capi.sqlite3_changes(handle))

const addEvents = (database: SqliteDatabase, { id }: Segment, rows: readonly Row[]): void => {
  for (const row of rows) {
    database.run(ADD_EVENT, [
      Number(row['position']),
      String(row['id']),
      id,
      String(row['aggregate_type']),
      String(row['event_type'])
    ])
  }
}

const addStreams = (database: SqliteDatabase, { id }: Segment, rows: readonly Row[]): void => {
  const streams = new Map<string, { type: string; count: number; first: number; last: number }>()
  for (const row of rows) {
    const [aggregateId, seq] = [String(row['aggregate_id']), Number(row['seq'])]
    const { count, first, last } = streams.get(aggregateId) ?? { count: 0, first: seq, last: seq }
    streams.set(aggregateId, {
      type: String(row['aggregate_type']),
      count: count + 1,
      first: Math.min(first, seq),
      last: Math.max(last, seq)
    })
  }
  for (const [aggregateId, { type, count, first, last }] of streams) {
    database.run(ADD_STREAM, [type, aggregateId, id, count, first, last])
  }
}

/** The rows of a segment; null where its file cannot be read, which is named when somebody asks for its events. */
const rowsOf = async (files: SegmentFiles, segment: Segment): Promise<readonly Row[] | null> => {
  try {
    return (await readBack(files, segment, segment)).rows
  } catch (thrown) {
    if (thrown instanceof SegmentDamage) return null
    if (isFlowForgeError(thrown) && thrown.code === 'NOT_ALLOWED') return null
    throw thrown
  }
}

/**
 * Brings the index of what is archived in line with the segments that a salvaged database has: takes out what leads to
 * none, and adds, from the segments' own files, what was lost of it. Answers with how many rows were taken out.
 */
export const mendArchiveIndex = async (
  database: SqliteDatabase,
  files: SegmentFiles
): Promise<{ readonly events: number; readonly streams: number }> => {
  database.run(STRAY_EVENTS)
  const events = changesOf(database)
  database.run(STRAY_STREAMS)
  const streams = changesOf(database)
  for (const segment of database.allOnce(SHORT).map(toSegment)) {
    // oxlint-disable-next-line no-await-in-loop -- one file in memory at a time
    const rows = await rowsOf(files, segment)
    if (rows === null) continue
    database.script('BEGIN')
    addEvents(database, segment, rows)
    addStreams(database, segment, rows)
    database.script('COMMIT')
  }
  return { events, streams }
}
