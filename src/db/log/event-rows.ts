import type { Event, JsonObject, Row } from '../ports.ts'

/** The columns of `events`, in the order in which a row is hashed and archived. Never to be changed. */
export const EVENT_COLUMNS = [
  'position',
  'id',
  'aggregate_type',
  'aggregate_id',
  'event_type',
  'event_version',
  'seq',
  'tx_id',
  'caused_by_event_id',
  'payload_json',
  'metadata_json',
  'created_at'
] as const

export const EVENT_COLUMN_LIST = EVENT_COLUMNS.join(', ')

export const parseObject = (json: unknown): JsonObject => JSON.parse(String(json)) as JsonObject

export const toEvent = (row: Row): Event => ({
  id: String(row['id']),
  position: Number(row['position']),
  aggregateId: String(row['aggregate_id']),
  aggregateType: String(row['aggregate_type']),
  eventType: String(row['event_type']),
  eventVersion: Number(row['event_version']),
  seq: Number(row['seq']),
  txId: String(row['tx_id']),
  causedByEventId: row['caused_by_event_id'] === null ? null : String(row['caused_by_event_id']),
  payload: parseObject(row['payload_json']),
  metadata: row['metadata_json'] === null ? null : parseObject(row['metadata_json']),
  createdAt: String(row['created_at'])
})
