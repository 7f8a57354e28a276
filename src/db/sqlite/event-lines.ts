import { parseObject } from '../log/event-rows.ts'
import { FlowForgeError, type Event, type NewEvent } from '../ports.ts'

/** The most bytes that one event's payload or metadata, or one state, may take as JSON in UTF-8; larger things are blobs. */
export const MAX_JSON_BYTES = 16 * 1024 * 1024

/** What stands before the first colon; `default` where there is none. */
export const aggregateTypeOf = (aggregateId: string): string => {
  const colon = aggregateId.indexOf(':')
  return colon === -1 ? 'default' : aggregateId.slice(0, colon)
}

const encoder = new TextEncoder()

/** Text is only encoded where its length leaves the answer open: a UTF-16 unit takes one to three bytes. */
const isTooLarge = (json: string): boolean =>
  json.length > MAX_JSON_BYTES ||
  (json.length * 3 > MAX_JSON_BYTES && encoder.encode(json).byteLength > MAX_JSON_BYTES)

/** @throws FlowForgeError `INVALID_INPUT` for what is no JSON, or too large */
export const toJson = (value: unknown, what: string): string => {
  let json: string | undefined
  try {
    json = JSON.stringify(value)
  } catch (cause) {
    throw new FlowForgeError('INVALID_INPUT', `${what} cannot be written as JSON.`, {}, cause)
  }
  if (json === undefined) throw new FlowForgeError('INVALID_INPUT', `${what} cannot be written as JSON.`)
  if (!isTooLarge(json)) return json
  const message = `${what} takes more than ${MAX_JSON_BYTES} bytes as JSON. Store large data as a blob.`
  throw new FlowForgeError('INVALID_INPUT', message, { length: json.length, limit: MAX_JSON_BYTES })
}

export const txIdOf = (event: NewEvent): string | undefined => {
  const fromMetadata = event.metadata?.['tx_id']
  return event.txId ?? (typeof fromMetadata === 'string' ? fromMetadata : undefined)
}

/** An event that is about to be written; its position is not known yet. */
export type Line = {
  readonly event: Omit<Event, 'position'>
  readonly payloadJson: string
  readonly metadataJson: string | null
}

/** The columns of `events` but for the position, in the order in which `valuesOf` has their values. */
export const LINE_COLUMNS = [
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
export type LineColumn = (typeof LINE_COLUMNS)[number]
export type LineValues = readonly (string | number | null)[]

export const valuesOf = ({ event, payloadJson, metadataJson }: Line): LineValues => [
  event.id,
  event.aggregateType,
  event.aggregateId,
  event.eventType,
  event.eventVersion,
  event.seq,
  event.txId,
  event.causedByEventId,
  payloadJson,
  metadataJson,
  event.createdAt
]

/** @throws FlowForgeError `CONFLICT` where the stream does not end as the event expects, `INVALID_INPUT` */
export const toLine = (
  event: NewEvent,
  at: { seq: number; txId: string; now: string; newId: () => string }
): Line => {
  const { aggregateId, expectedSeq } = event
  const found = at.seq - 1
  if (expectedSeq !== undefined && expectedSeq !== found) {
    const message = `"${aggregateId}" was expected to end at seq ${expectedSeq}, but ends at ${found}. Load it again.`
    throw new FlowForgeError('CONFLICT', message, { aggregateId, expectedSeq, actualSeq: found })
  }
  const payloadJson = toJson(event.payload, 'The payload')
  const metadataJson = event.metadata == null ? null : toJson(event.metadata, 'The metadata')
  return {
    payloadJson,
    metadataJson,
    event: {
      id: event.id ?? at.newId(),
      aggregateId,
      aggregateType: aggregateTypeOf(aggregateId),
      eventType: event.eventType,
      eventVersion: event.eventVersion ?? 1,
      seq: at.seq,
      txId: txIdOf(event) ?? at.txId,
      causedByEventId: event.causedByEventId ?? null,
      // What is answered is what a load will answer, not what the caller still holds.
      payload: parseObject(payloadJson),
      metadata: metadataJson === null ? null : parseObject(metadataJson),
      createdAt: at.now
    }
  }
}
