/** The columns of `events`, in the order in which a row is hashed. Never to be changed. */
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
