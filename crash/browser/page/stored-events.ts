import type { Event, Row } from '../../../src/db/ports.ts'

/** Events as they stand in a database of any schema. */
export const EVENTS = {
  sql: `SELECT json_object('id', id, 'position', position, 'aggregateId', aggregate_id, 'eventType', event_type, 'seq', seq,
    'causedByEventId', caused_by_event_id, 'payload', json(payload_json), 'metadata', json(metadata_json)) AS event
    FROM events ORDER BY position`,
  // Written by the program itself, and compared with what it reads.
  fromRows: (rows: readonly Row[]): Event[] => rows.map((row) => JSON.parse(String(row['event'])) as Event)
}
