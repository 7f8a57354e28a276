import { FlowForgeError, type Event, type EventStorePort, type NewEvent, type Row } from '../ports.ts'
import type { StoreWorld } from '../sqlite/event-appending.ts'
import { aggregateTypeOf, toJson, txIdOf } from '../sqlite/event-lines.ts'
import { EVENT_COLUMN_LIST as COLUMNS, parseObject, toEvent } from '../log/event-rows.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'
import type { Scope, Transactions } from '../sqlite/transactions.ts'
import type { DuckDBDatabase } from './duckdb-database.ts'
import { STORED_EVENTS } from './schema.ts'

const BY_ID = `SELECT ${COLUMNS} FROM events WHERE id = ?`
const HEAD = 'SELECT coalesce(max(seq), 0) AS seq FROM events WHERE aggregate_type = ? AND aggregate_id = ?'
const LOAD = `SELECT ${COLUMNS} FROM events WHERE aggregate_type = ? AND aggregate_id = ? AND seq > ? ORDER BY seq`
const SNAPSHOT = `SELECT * FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ?`
const FORGET_SNAPSHOT = 'DELETE FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ?'
const SAVE_SNAPSHOT = `INSERT INTO snapshots (id, aggregate_type, aggregate_id, last_seq, state_json, created_at,
  state_version) VALUES (?, ?, ?, ?, ?, ?, ?)`
/** How many events share one INSERT: its text is parsed anew each time. */
const INSERT_BATCH = 200

const READ_ALL_LIMIT = 1_000

const encoder = new TextEncoder()

const valuesOf = (event: Event): Bound[] => [
  event.position,
  event.id,
  event.aggregateType,
  event.aggregateId,
  event.eventType,
  event.eventVersion,
  event.seq,
  event.txId,
  event.causedByEventId,
  JSON.stringify(event.payload),
  event.metadata === null ? null : JSON.stringify(event.metadata),
  event.createdAt
]

const insertSql = (count: number): string => {
  const places = COLUMNS.split(',').map(() => '?')
  const line = `(${places.join(', ')})`
  return `INSERT INTO ${STORED_EVENTS} (${COLUMNS}) VALUES ${Array.from({ length: count }, () => line).join(', ')}`
}

/** The last position that was given, which no rollback takes back: a position is never reused. */
export type Positions = { last: number }

type Parts = {
  readonly database: DuckDBDatabase
  readonly transactions: Transactions
  readonly world: StoreWorld
  readonly positions: Positions
}

/** The store of the document's events over DuckDB. `scope` is the transaction that its calls belong to, if one is given. */
export const createEventStore = (
  { database, transactions, world, positions }: Parts,
  scope: Scope | null
): EventStorePort => {
  const head = (aggregateId: string): number =>
    Number(database.all(HEAD, [aggregateTypeOf(aggregateId), aggregateId])[0]?.['seq'] ?? 0)

  /** The same id means the same event: one of another stream or type has no right to it. */
  const checkSame = (event: NewEvent, found: Event): Event => {
    if (found.aggregateId === event.aggregateId && found.eventType === event.eventType) return found
    const message = `The event id "${String(event.id)}" is taken by a ${found.eventType} of "${found.aggregateId}".`
    throw new FlowForgeError('CONFLICT', message, { id: event.id, aggregateId: found.aggregateId })
  }

  const stored = (id: string): Event | undefined => {
    const [row] = database.all(BY_ID, [id])
    return row === undefined ? undefined : toEvent(row)
  }

  const toStored = (event: NewEvent, seq: number, txId: string, now: string): Event => {
    if (event.expectedSeq !== undefined && event.expectedSeq !== seq - 1) {
      const message = `"${event.aggregateId}" was expected to end at seq ${event.expectedSeq}, but ends at ${seq - 1}. Load it again.`
      const details = { aggregateId: event.aggregateId, expectedSeq: event.expectedSeq, actualSeq: seq - 1 }
      throw new FlowForgeError('CONFLICT', message, details)
    }
    return {
      id: event.id ?? world.newId(),
      position: (positions.last += 1),
      aggregateId: event.aggregateId,
      aggregateType: aggregateTypeOf(event.aggregateId),
      eventType: event.eventType,
      eventVersion: event.eventVersion ?? 1,
      seq,
      txId: txIdOf(event) ?? txId,
      causedByEventId: event.causedByEventId ?? null,
      // What is answered is what a load will answer, not what the caller still holds.
      payload: parseObject(toJson(event.payload, 'The payload')),
      metadata: event.metadata == null ? null : parseObject(toJson(event.metadata, 'The metadata')),
      createdAt: now
    }
  }

  const insert = (events: readonly Event[]): void => {
    for (let start = 0; start < events.length; start += INSERT_BATCH) {
      const batch = events.slice(start, start + INSERT_BATCH)
      database.write(insertSql(batch.length), batch.flatMap(valuesOf))
    }
    if (events.length > 0) database.written.add('events')
  }

  const appendAll = (events: readonly NewEvent[]): Event[] => {
    const now = world.now()
    const txId = events.map(txIdOf).find((id) => id !== undefined) ?? world.newId()
    const heads = new Map<string, number>()
    const inBatch = new Map<string, Event>()
    const fresh: Event[] = []
    const answers = events.map((event) => {
      const known = event.id === undefined ? undefined : (inBatch.get(event.id) ?? stored(event.id))
      if (known !== undefined) return checkSame(event, known)
      const seq = (heads.get(event.aggregateId) ?? head(event.aggregateId)) + 1
      const made = toStored(event, seq, txId, now)
      heads.set(event.aggregateId, seq)
      inBatch.set(made.id, made)
      fresh.push(made)
      return made
    })
    insert(fresh)
    return answers
  }

  const append = (event: NewEvent): Event => {
    const [appended] = appendAll([event])
    if (appended === undefined) throw new FlowForgeError('INTERNAL', 'An append answered with no event.')
    return appended
  }

  const limited = (sql: string, params: readonly Bound[], limit: number | undefined): Event[] =>
    (limit === undefined
      ? database.all(sql, params)
      : database.all(`${sql} LIMIT ?`, [...params, limit])
    ).map(toEvent)

  const load = ({ aggregateId, afterSeq = 0, limit }: Parameters<EventStorePort['load']>[0]): Event[] =>
    limited(LOAD, [aggregateTypeOf(aggregateId), aggregateId, afterSeq], limit)

  const readAll = (args: Parameters<EventStorePort['readAll']>[0]): Event[] => {
    const { afterPosition = 0, limit = READ_ALL_LIMIT, aggregateType, eventType } = args
    const { eventTypes, upToPosition } = args
    const places = eventTypes?.map(() => '?').join(', ')
    const filters: { sql: string; values: readonly Bound[] }[] = [
      ...(upToPosition === undefined ? [] : [{ sql: ' AND position <= ?', values: [upToPosition] }]),
      ...(eventTypes === undefined
        ? []
        : [{ sql: places === '' ? ' AND false' : ` AND event_type IN (${places})`, values: eventTypes }]),
      ...(aggregateType === undefined ? [] : [{ sql: ' AND aggregate_type = ?', values: [aggregateType] }]),
      ...(eventType === undefined ? [] : [{ sql: ' AND event_type = ?', values: [eventType] }])
    ]
    const where = filters.map((filter) => filter.sql).join('')
    const sql = `SELECT ${COLUMNS} FROM events WHERE position > ?${where} ORDER BY position`
    return limited(sql, [afterPosition, ...filters.flatMap(({ values }) => values)], limit)
  }

  const toBytes = (events: readonly Event[]): Uint8Array<ArrayBuffer> =>
    new Uint8Array(encoder.encode(JSON.stringify(events)))

  const snapshotOf = (aggregateId: string): Row | undefined =>
    database.all(SNAPSHOT, [aggregateTypeOf(aggregateId), aggregateId])[0]

  return {
    append: (event) => transactions.perform(scope, true, () => append(event)),
    appendMany: (events) => transactions.perform(scope, true, () => appendAll(events)),
    load: (args) => transactions.perform(scope, false, () => load(args)),
    loadBytes: (args) => transactions.perform(scope, false, () => toBytes(load(args))),
    readAll: (args) => transactions.perform(scope, false, () => readAll(args)),
    readAllBytes: (args) => transactions.perform(scope, false, () => toBytes(readAll(args))),
    latestSnapshot: ({ aggregateId }) =>
      transactions.perform(scope, false, () => {
        const row = snapshotOf(aggregateId)
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
        const json = toJson(state, 'The state')
        const before = snapshotOf(aggregateId)
        const isOlder = before !== undefined && Number(before['last_seq']) > lastSeq
        if (isOlder && Number(before['state_version']) === stateVersion) return
        const type = aggregateTypeOf(aggregateId)
        database.write(FORGET_SNAPSHOT, [type, aggregateId])
        const values = [world.newId(), type, aggregateId, lastSeq, json, world.now(), stateVersion]
        database.write(SAVE_SNAPSHOT, values)
        database.written.add('snapshots')
      })
  }
}
