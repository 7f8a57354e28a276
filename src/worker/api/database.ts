import { z } from 'zod'
import type { Event, ReplicaPieces, Row, Snapshot } from '../../db/ports.ts'
import { JsonObject, Text, type In } from './parts.ts'
import { Replica } from './replicas.ts'

const Seq = z.number().int().min(0)

/** Names of tables and columns, as `database-layer.md` allows them. */
export const TableName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/)

export const NewEventInput = z.strictObject({
  aggregateId: Text.max(512),
  eventType: Text.max(256),
  payload: JsonObject,
  metadata: JsonObject.nullish(),
  id: Text.max(256).optional(),
  expectedSeq: Seq.optional(),
  eventVersion: z.number().int().min(1).optional(),
  txId: Text.max(256).optional(),
  causedByEventId: Text.max(256).optional()
})

/** One read-only statement. */
export const QueryInput = z.strictObject({ sql: Text, params: z.array(z.unknown()).optional() })
/** `restMs`: how long it is not asked again after it was, where that may be longer than a frame. */
export const LiveQueryInput = QueryInput.extend({ restMs: z.number().int().min(0).max(60_000).optional() })

/** The argument of every `window.db` call. */
export const dbInputs = {
  appendEvent: NewEventInput,
  appendEvents: z.strictObject({ events: z.array(NewEventInput).min(1).max(10_000) }),
  loadEvents: z.strictObject({
    aggregateId: Text,
    afterSeq: Seq.optional(),
    limit: z.number().int().min(1).optional()
  }),
  readAll: z.strictObject({
    afterPosition: z.number().int().min(0).optional(),
    limit: z.number().int().min(1).max(100_000).optional(),
    aggregateType: Text.optional(),
    eventType: Text.optional()
  }),
  latestSnapshot: z.strictObject({ aggregateId: Text }),
  saveSnapshot: z.strictObject({ aggregateId: Text, lastSeq: z.number().int().min(1), state: JsonObject }),
  queryProjection: QueryInput.extend({
    /**
     * + Asked instead of the database, so that a heavy read leaves it alone; it has the same tables and views.
     * `analytics` speaks DuckDB's SQL.
     */
    replica: Replica.optional(),
    /** + What the log must have reached before a replica answers; it always has what was answered before the call. */
    minPosition: z.number().int().min(0).optional()
  }),
  upsertProjection: z.strictObject({ table: TableName, rows: z.array(JsonObject) }),
  truncateProjection: z.strictObject({ table: TableName }),
  putBlob: z.strictObject({
    key: Text.max(1024),
    data: z.union([z.instanceof(Uint8Array), z.instanceof(Blob)]),
    contentType: Text.optional()
  }),
  getBlob: z.strictObject({ key: Text }),
  statBlob: z.strictObject({ key: Text })
} as const

/** What a subscription starts after, and lets through; `afterPosition` defaults to the log's end. */
export const SubscribeInput = z.strictObject({
  afterPosition: z.number().int().min(0).optional(),
  aggregateType: Text.optional(),
  eventType: Text.optional(),
  /** + The history that `afterPosition` is of (`backup.status` has it): where another has taken its place, `CONFLICT`. */
  generation: z.number().int().min(0).optional()
})
export type EventListener = (event: Event) => unknown

type DbInputs = { [K in keyof typeof dbInputs]: In<(typeof dbInputs)[K]> }

export type DbApi = {
  appendEvent(args: DbInputs['appendEvent']): Promise<Event>
  appendEvents(args: DbInputs['appendEvents']): Promise<Event[]>
  loadEvents(args: DbInputs['loadEvents']): Promise<Event[]>
  readAll(args: DbInputs['readAll']): Promise<Event[]>
  /**
   * Hands on the events after a position and then those that come, in order, each once. The next is handed on when the
   * listener's answer to the last has settled. A listener that throws ends the subscription, and so does a restore, with
   * `CONFLICT`: its positions are those of another history, and whoever follows begins again. `onFailure` hears why it
   * ended by itself; where none is given, it is reported as an uncaught error. Answers with a function that ends it.
   */
  subscribe(
    args: In<typeof SubscribeInput> & { listener?: EventListener; onFailure?: (error: unknown) => void },
    listener?: EventListener
  ): () => void
  latestSnapshot(args: DbInputs['latestSnapshot']): Promise<Snapshot | null>
  saveSnapshot(args: DbInputs['saveSnapshot']): Promise<void>
  queryProjection(args: DbInputs['queryProjection']): Promise<Row[]>
  upsertProjection(args: DbInputs['upsertProjection']): Promise<void>
  truncateProjection(args: DbInputs['truncateProjection']): Promise<void>
  putBlob(args: DbInputs['putBlob']): Promise<void>
  getBlob(args: DbInputs['getBlob']): Promise<{ data: Uint8Array; contentType?: string } | null>
  statBlob(args: DbInputs['statBlob']): Promise<{ size: number; contentType?: string } | null>
}

/** `DbApi` as it crosses the boundary: lists of events are the UTF-8 bytes of their JSON, transferred instead of copied. */
export type WireDbApi = Omit<DbApi, 'loadEvents' | 'readAll' | 'queryProjection' | 'subscribe'> & {
  queryProjection(args: DbInputs['queryProjection']): Promise<Row[] | { pieces: ReplicaPieces }>
  loadEvents(args: DbInputs['loadEvents']): Promise<Uint8Array>
  readAll(args: DbInputs['readAll']): Promise<Uint8Array>
}
