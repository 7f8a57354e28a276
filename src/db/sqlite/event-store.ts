import { FlowForgeError, type Event, type EventStorePort } from '../ports.ts'
import { createAppending, type StoreWorld } from './event-appending.ts'
import { EVENT_COLUMNS, aggregateTypeOf, parseObject, toEvent, toJson } from './event-lines.ts'
import type { Bound, SqliteDatabase } from './sqlite-database.ts'
import type { Scope, Transactions } from './transactions.ts'

const LOAD = `SELECT ${EVENT_COLUMNS} FROM events WHERE aggregate_type = ? AND aggregate_id = ? AND seq > ?
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

const firstOf = ([stored]: readonly Event[]): Event => {
  if (stored !== undefined) return stored
  throw new FlowForgeError('INTERNAL', 'An append answered with no event.')
}

/** The store of the document's events over SQLite. `scope` is the transaction that its calls belong to, if one is given. */
export const createEventStore = (
  database: SqliteDatabase,
  transactions: Transactions,
  world: StoreWorld,
  scope: Scope | null
): EventStorePort => {
  const appendAll = createAppending(database, world)
  const appendMany: EventStorePort['appendMany'] = (events) =>
    transactions.performGathered(scope, appendAll, events)

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
    const sql = `SELECT ${EVENT_COLUMNS} FROM events WHERE position > ? ${filters.map((filter) => filter.sql).join(' ')}
      ORDER BY position LIMIT ?`
    return { sql, params: [afterPosition, ...filters.map((filter) => filter.value), limit] }
  }

  return {
    // `then` and not `await`: the promise stays part of the transaction that it was given in.
    append: (event) => appendMany([event]).then(firstOf),
    appendMany,
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
