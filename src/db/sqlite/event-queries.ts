import { EVENT_COLUMN_LIST } from '../log/event-rows.ts'
import type { EventStorePort } from '../ports.ts'
import { aggregateTypeOf } from './event-lines.ts'
import type { Bound } from './sqlite-database.ts'

export type Query = { readonly sql: string; readonly params: readonly Bound[] }
export type LoadArgs = Parameters<EventStorePort['load']>[0]
export type ReadAllArgs = Parameters<EventStorePort['readAll']>[0]

export const READ_ALL_LIMIT = 1_000

const LOAD = `SELECT ${EVENT_COLUMN_LIST} FROM events WHERE aggregate_type = ? AND aggregate_id = ? AND seq > ?
  ORDER BY seq LIMIT ?`

export const loadQuery = ({ aggregateId, afterSeq = 0, limit = -1 }: LoadArgs): Query => ({
  sql: LOAD,
  params: [aggregateTypeOf(aggregateId), aggregateId, afterSeq, limit]
})

/** @param from what is asked: the log's table, or the archive's index with the same columns to filter by */
export const readAllQuery = (
  {
    afterPosition = 0,
    limit = READ_ALL_LIMIT,
    aggregateType,
    eventType,
    eventTypes,
    upToPosition
  }: ReadAllArgs,
  from: { readonly table: string; readonly columns: string } = { table: 'events', columns: EVENT_COLUMN_LIST }
): Query => {
  const filters = [
    ...(upToPosition === undefined ? [] : [{ sql: 'AND position <= ?', value: upToPosition }]),
    // The plus keeps SQLite from the index on types: it would have to sort again what stands in order.
    ...(eventTypes === undefined
      ? []
      : [
          {
            sql: 'AND +event_type IN (SELECT value FROM json_each(?))',
            value: JSON.stringify(eventTypes)
          }
        ]),
    ...(aggregateType === undefined ? [] : [{ sql: 'AND aggregate_type = ?', value: aggregateType }]),
    ...(eventType === undefined ? [] : [{ sql: 'AND event_type = ?', value: eventType }])
  ]
  const sql = `SELECT ${from.columns} FROM ${from.table} WHERE position > ? ${filters.map((filter) => filter.sql).join(' ')}
      ORDER BY position LIMIT ?`
  return { sql, params: [afterPosition, ...filters.map((filter) => filter.value), limit] }
}

/**
 * An `Event` as JSON text. Payloads are pasted as they stand: each was written by JSON.stringify, and the schema checks it.
 * Kept in step with `toEvent` by the contract suite.
 */
const JSON_LINE = `'{"id":' || json_quote(id) || ',"position":' || position || ',"aggregateId":' || json_quote(aggregate_id)
  || ',"aggregateType":' || json_quote(aggregate_type) || ',"eventType":' || json_quote(event_type)
  || ',"eventVersion":' || event_version || ',"seq":' || seq || ',"txId":' || json_quote(tx_id)
  || ',"causedByEventId":' || json_quote(caused_by_event_id) || ',"payload":' || payload_json
  || ',"metadata":' || coalesce(metadata_json, 'null') || ',"createdAt":' || json_quote(created_at) || '}'`

/** Rows in the order of the query within become the bytes of one JSON array. */
export const asBytes = ({ sql, params }: Query, order: 'seq' | 'position'): Query => ({
  sql: `SELECT CAST('[' || coalesce(group_concat(${JSON_LINE}, ',' ORDER BY ${order}), '') || ']' AS BLOB) AS bytes FROM (${sql})`,
  params
})
