import type { ArchivedEvents } from '../archive/archived-events.ts'
import { toEvent } from '../log/event-rows.ts'
import type { RangeReader } from '../log/verify-chain.ts'
import { FlowForgeError, type EventStorePort, type Row } from '../ports.ts'
import {
  asBytes,
  loadQuery,
  READ_ALL_LIMIT,
  readAllQuery,
  type LoadArgs,
  type Query,
  type ReadAllArgs
} from './event-queries.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import type { Scope, Transactions } from './transactions.ts'

type Reading = Pick<EventStorePort, 'load' | 'loadBytes' | 'readAll' | 'readAllBytes'>

const encoder = new TextEncoder()

/** An event's JSON, as `asBytes` has it made; members have no order. */
const toJsonText = (row: Row): string => {
  const { id, position, seq } = row
  const plain = {
    id,
    position,
    aggregateId: row['aggregate_id'],
    aggregateType: row['aggregate_type'],
    eventType: row['event_type'],
    eventVersion: row['event_version'],
    seq,
    txId: row['tx_id'],
    causedByEventId: row['caused_by_event_id'],
    createdAt: row['created_at']
  }
  // Payloads are pasted as they stand, as SQLite pastes them.
  const metadata = row['metadata_json'] === null ? 'null' : String(row['metadata_json'])
  return `${JSON.stringify(plain).slice(0, -1)},"payload":${String(row['payload_json'])},"metadata":${metadata}}`
}

const toBytes = (rows: readonly Row[]): Uint8Array<ArrayBuffer> =>
  encoder.encode(`[${rows.map(toJsonText).join(',')}]`)

/** Two lists that are in order, as one in order, up to a limit. */
const merged = (one: readonly Row[], other: readonly Row[], column: string, limit: number): Row[] =>
  [...one, ...other]
    .toSorted((left, right) => Number(left[column]) - Number(right[column]))
    .slice(0, limit < 0 ? undefined : limit)

/** A window's rows, wherever they stand. To be called in a unit of `archived.through`. */
const rowsThrough = (database: SqliteDatabase, archived: ArchivedEvents, args: ReadAllArgs): Row[] => {
  const { limit = READ_ALL_LIMIT, upToPosition } = args
  const { sql, params } = readAllQuery(args)
  const rows = database.all(sql, params)
  // What is archived behind the last of a full page is not of that page: its segments need not be read.
  const last = rows.length === limit ? Number(rows.at(-1)?.['position']) : upToPosition
  return merged(archived.inRange({ ...args, upToPosition: last }), rows, 'position', limit)
}

/** For those who need whole rows: the check of the log's hash chain. */
export const createRangeReader =
  (database: SqliteDatabase, transactions: Transactions, archived: ArchivedEvents): RangeReader =>
  (afterPosition, upToPosition) =>
    archived.through(null, (at) =>
      transactions.perform(at, false, () =>
        rowsThrough(database, archived, { afterPosition, upToPosition, limit: Number.MAX_SAFE_INTEGER })
      )
    )

/** Reads events from the log's table and, where some are archived, from their segments as if they stood there. */
export const createEventReading = (
  database: SqliteDatabase,
  transactions: Transactions,
  archived: ArchivedEvents,
  scope: Scope | null
): Reading => {
  const rowsOf = ({ sql, params }: Query): Row[] => database.all(sql, params)
  const bytesOf = ({ sql, params }: Query): Uint8Array<ArrayBuffer> => {
    const bytes = database.all(sql, params)[0]?.['bytes']
    if (bytes instanceof Uint8Array) return bytes as Uint8Array<ArrayBuffer>
    throw new FlowForgeError('INTERNAL', 'A load answered without bytes.')
  }

  /** Null where nothing of it is archived. */
  const loaded = (args: LoadArgs): Row[] | null => {
    const before = archived.ofStream(args)
    return before.length === 0 ? null : merged(before, rowsOf(loadQuery(args)), 'seq', args.limit ?? -1)
  }

  const readThrough = (args: ReadAllArgs): Row[] => rowsThrough(database, archived, args)

  /** `plain` where nothing is archived at all; `through` otherwise, as often as it takes. */
  const reading = <T>(plain: () => T, through: () => T): Promise<T> =>
    archived.isEmpty()
      ? transactions.perform(scope, false, plain)
      : archived.through(scope, (at) => transactions.perform(at, false, through))

  return {
    load: (args) =>
      reading(
        () => rowsOf(loadQuery(args)).map(toEvent),
        () => (loaded(args) ?? rowsOf(loadQuery(args))).map(toEvent)
      ),
    loadBytes: (args) => {
      const plain = () => bytesOf(asBytes(loadQuery(args), 'seq'))
      return reading(plain, () => {
        const rows = loaded(args)
        return rows === null ? plain() : toBytes(rows)
      })
    },
    readAll: (args) =>
      reading(
        () => rowsOf(readAllQuery(args)).map(toEvent),
        () => readThrough(args).map(toEvent)
      ),
    readAllBytes: (args) =>
      reading(
        () => bytesOf(asBytes(readAllQuery(args), 'position')),
        () => toBytes(readThrough(args))
      )
  }
}
