import { EVENT_COLUMN_LIST, parseObject, toEvent } from '../log/event-rows.ts'
import { FlowForgeError, type Event, type EventStorePort, type NewEvent } from '../ports.ts'
import type { Bound, SqliteDatabase } from './sqlite-database.ts'
import type { Scope, Transactions } from './transactions.ts'

export type StoreWorld = { readonly now: () => string; readonly newId: () => string }

/** The most bytes that one event's payload or metadata, or one state, may take as JSON in UTF-8; larger things are blobs. */
export const MAX_JSON_BYTES = 16 * 1024 * 1024

const BY_ID = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE id = ?`
const BY_IDS = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE id IN (SELECT value FROM json_each(?))`
const HEAD = 'SELECT coalesce(max(seq), 0) AS seq FROM events WHERE aggregate_type = ? AND aggregate_id = ?'
const INSERT = `INSERT INTO events (id, aggregate_type, aggregate_id, event_type, event_version, seq, tx_id,
  caused_by_event_id, payload_json, metadata_json, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
/** One bind for a whole batch: rows arrive as a JSON array of arrays, in the order of their positions. */
const INSERT_MANY = `INSERT INTO events (id, aggregate_type, aggregate_id, event_type, event_version, seq, tx_id,
  caused_by_event_id, payload_json, metadata_json, created_at)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
    value ->> 7, value ->> 8, value ->> 9, value ->> 10 FROM json_each(?) ORDER BY key`
const LOAD = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE aggregate_type = ? AND aggregate_id = ? AND seq > ?
  ORDER BY seq LIMIT ?`
/**
 * An `Event` as JSON text. Payloads are pasted as they stand: each was written by JSON.stringify, and the schema checks it.
 * Kept in step with `toEvent` by the contract suite.
 */
const JSON_LINE = `'{"id":' || json_quote(id) || ',"position":' || position || ',"aggregateId":' || json_quote(aggregate_id)
  || ',"aggregateType":' || json_quote(aggregate_type) || ',"eventType":' || json_quote(event_type)
  || ',"eventVersion":' || event_version || ',"seq":' || seq || ',"txId":' || json_quote(tx_id)
  || ',"causedByEventId":' || json_quote(caused_by_event_id) || ',"payload":' || payload_json
  || ',"metadata":' || coalesce(metadata_json, 'null') || ',"createdAt":' || json_quote(created_at) || '}'`
/** Rows in the order of the query within become one JSON array. */
const toJsonArray = (sql: string, order: 'seq' | 'position'): string =>
  `SELECT CAST('[' || coalesce(group_concat(${JSON_LINE}, ',' ORDER BY ${order}), '') || ']' AS BLOB) AS bytes FROM (${sql})`
const LOAD_BYTES = toJsonArray(LOAD, 'seq')
const SNAPSHOT = `SELECT aggregate_id, last_seq, state_json, created_at, state_version FROM snapshots
  WHERE aggregate_type = ? AND aggregate_id = ?`
const SAVE_SNAPSHOT = `INSERT INTO snapshots (id, aggregate_type, aggregate_id, last_seq, state_json, created_at, state_version)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
  SET last_seq = ?4, state_json = ?5, created_at = ?6, state_version = ?7
  WHERE state_version <> ?7 OR last_seq <= ?4`
const READ_ALL_LIMIT = 1_000

const aggregateTypeOf = (aggregateId: string): string => {
  const colon = aggregateId.indexOf(':')
  return colon === -1 ? 'default' : aggregateId.slice(0, colon)
}

const encoder = new TextEncoder()

/** Text is only encoded where its length leaves the answer open: a UTF-16 unit takes one to three bytes. */
const isTooLarge = (json: string): boolean =>
  json.length > MAX_JSON_BYTES ||
  (json.length * 3 > MAX_JSON_BYTES && encoder.encode(json).byteLength > MAX_JSON_BYTES)

const toJson = (value: unknown, what: string): string => {
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

const txIdOf = (event: NewEvent): string | undefined => {
  const fromMetadata = event.metadata?.['tx_id']
  return event.txId ?? (typeof fromMetadata === 'string' ? fromMetadata : undefined)
}

type Line = { readonly event: Event; readonly payloadJson: string; readonly metadataJson: string | null }

const valuesOf = ({ event, payloadJson, metadataJson }: Line) => [
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

/** The store of the document's events over SQLite. `scope` is the transaction that its calls belong to, if one is given. */
export const createEventStore = (
  database: SqliteDatabase,
  transactions: Transactions,
  world: StoreWorld,
  scope: Scope | null
): EventStorePort => {
  const head = (type: string, id: string): number => Number(database.all(HEAD, [type, id])[0]?.['seq'] ?? 0)

  /** The same id means the same event: one of another stream or type has no right to it. */
  const checkSame = (event: NewEvent, found: Event): void => {
    if (found.aggregateId === event.aggregateId && found.eventType === event.eventType) return
    const message = `The event id "${event.id}" is taken by a ${found.eventType} of "${found.aggregateId}".`
    throw new FlowForgeError('CONFLICT', message, { id: event.id, aggregateId: found.aggregateId })
  }

  const stored = (event: NewEvent): Event | undefined => {
    if (event.id === undefined) return undefined
    const [row] = database.all(BY_ID, [event.id])
    if (row === undefined) return undefined
    const found = toEvent(row)
    checkSame(event, found)
    return found
  }

  /** Those of the batch whose ids are stored already, by id: one question, however large the batch. */
  const storedAmong = (events: readonly NewEvent[]): Map<string, Event> => {
    const ids = events.flatMap(({ id }) => (id === undefined ? [] : [id]))
    if (ids.length === 0) return new Map()
    return new Map(
      database
        .all(BY_IDS, [JSON.stringify(ids)])
        .map(toEvent)
        .map((event) => [event.id, event])
    )
  }

  const toLine = (event: NewEvent, seq: number, txId: string | undefined, now: string): Line => {
    if (event.expectedSeq !== undefined && event.expectedSeq !== seq - 1) {
      const message = `"${event.aggregateId}" was expected to end at seq ${event.expectedSeq}, but ends at ${seq - 1}. Load it again.`
      const details = { aggregateId: event.aggregateId, expectedSeq: event.expectedSeq, actualSeq: seq - 1 }
      throw new FlowForgeError('CONFLICT', message, details)
    }
    const payloadJson = toJson(event.payload, 'The payload')
    const metadataJson = event.metadata == null ? null : toJson(event.metadata, 'The metadata')
    return {
      payloadJson,
      metadataJson,
      event: {
        id: event.id ?? world.newId(),
        position: 0,
        aggregateId: event.aggregateId,
        aggregateType: aggregateTypeOf(event.aggregateId),
        eventType: event.eventType,
        eventVersion: event.eventVersion ?? 1,
        seq,
        txId: txIdOf(event) ?? txId ?? world.newId(),
        causedByEventId: event.causedByEventId ?? null,
        // What is answered is what a load will answer, not what the caller still holds.
        payload: parseObject(payloadJson),
        metadata: metadataJson === null ? null : parseObject(metadataJson),
        createdAt: now
      }
    }
  }

  const lastPosition = (): number => Number(database.sqlite3.capi.sqlite3_last_insert_rowid(database.handle))

  const appendOne = (event: NewEvent): Event => {
    const known = stored(event)
    if (known !== undefined) return known
    const seq = head(aggregateTypeOf(event.aggregateId), event.aggregateId) + 1
    const line = toLine(event, seq, undefined, world.now())
    database.run(INSERT, valuesOf(line))
    return { ...line.event, position: lastPosition() }
  }

  const appendAll = (events: readonly NewEvent[]): Event[] => {
    const heads = new Map<string, number>()
    const now = world.now()
    const txId = events.map(txIdOf).find((id) => id !== undefined) ?? world.newId()
    const lines: Line[] = []
    const answers: (Event | Line)[] = []
    const inBatch = new Map<string, Line>()
    const before = storedAmong(events)
    for (const event of events) {
      const known = event.id === undefined ? undefined : (before.get(event.id) ?? inBatch.get(event.id))
      if (known !== undefined) {
        checkSame(event, 'event' in known ? known.event : known)
        answers.push(known)
        continue
      }
      const { aggregateId } = event
      const seq = (heads.get(aggregateId) ?? head(aggregateTypeOf(aggregateId), aggregateId)) + 1
      const line = toLine(event, seq, txId, now)
      heads.set(aggregateId, seq)
      inBatch.set(line.event.id, line)
      lines.push(line)
      answers.push(line)
    }
    if (lines.length === 0) return answers.flatMap((answer) => ('event' in answer ? [] : [answer]))
    database.run(INSERT_MANY, [JSON.stringify(lines.map(valuesOf))])
    const first = lastPosition() - lines.length + 1
    const placed = new Map(lines.map((line, index) => [line, { ...line.event, position: first + index }]))
    return answers.map((answer) => ('event' in answer ? (placed.get(answer) ?? answer.event) : answer))
  }

  const bytesOf = (sql: string, params: readonly Bound[]): Uint8Array<ArrayBuffer> => {
    const bytes = database.all(sql, params)[0]?.['bytes']
    if (bytes instanceof Uint8Array) return bytes as Uint8Array<ArrayBuffer>
    throw new FlowForgeError('INTERNAL', 'A load answered without bytes.')
  }

  const loadParams = ({ aggregateId, afterSeq = 0, limit = -1 }: Parameters<EventStorePort['load']>[0]) => [
    aggregateTypeOf(aggregateId),
    aggregateId,
    afterSeq,
    limit
  ]

  const readAllQuery = ({
    afterPosition = 0,
    limit = READ_ALL_LIMIT,
    aggregateType,
    eventType
  }: Parameters<EventStorePort['readAll']>[0]): { sql: string; params: Bound[] } => {
    const filters = [
      ...(aggregateType === undefined ? [] : [{ sql: 'AND aggregate_type = ?', value: aggregateType }]),
      ...(eventType === undefined ? [] : [{ sql: 'AND event_type = ?', value: eventType }])
    ]
    const sql = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE position > ? ${filters.map((filter) => filter.sql).join(' ')}
      ORDER BY position LIMIT ?`
    return { sql, params: [afterPosition, ...filters.map((filter) => filter.value), limit] }
  }

  return {
    append: (event) => transactions.perform(scope, true, () => appendOne(event)),
    appendMany: (events) => transactions.perform(scope, true, () => appendAll(events)),
    load: (args) =>
      transactions.perform(scope, false, () => database.all(LOAD, loadParams(args)).map(toEvent)),
    loadBytes: (args) => transactions.perform(scope, false, () => bytesOf(LOAD_BYTES, loadParams(args))),
    readAll: (args) =>
      transactions.perform(scope, false, () => {
        const { sql, params } = readAllQuery(args)
        return database.all(sql, params).map(toEvent)
      }),
    readAllBytes: (args) =>
      transactions.perform(scope, false, () => {
        const { sql, params } = readAllQuery(args)
        return bytesOf(toJsonArray(sql, 'position'), params)
      }),
    latestSnapshot: ({ aggregateId }) =>
      transactions.perform(scope, false, () => {
        const [row] = database.all(SNAPSHOT, [aggregateTypeOf(aggregateId), aggregateId])
        if (row === undefined) return null
        return {
          aggregateId: String(row['aggregate_id']),
          lastSeq: Number(row['last_seq']),
          state: parseObject(row['state_json']),
          createdAt: String(row['created_at']),
          stateVersion: Number(row['state_version'])
        }
      }),
    saveSnapshot: ({ aggregateId, lastSeq, state, stateVersion = 1 }) =>
      transactions.perform(scope, true, () => {
        const type = aggregateTypeOf(aggregateId)
        const json = toJson(state, 'The state')
        database.run(SAVE_SNAPSHOT, [
          world.newId(),
          type,
          aggregateId,
          lastSeq,
          json,
          world.now(),
          stateVersion
        ])
      })
  }
}
