import { FlowForgeError, type Event, type EventStorePort } from '../ports.ts'
import { createAppending, type StoreWorld } from './event-appending.ts'
import { noArchivedEvents, type ArchivedEvents } from '../archive/archived-events.ts'
import { parseObject } from '../log/event-rows.ts'
import { aggregateTypeOf, toJson } from './event-lines.ts'
import { createEventReading } from './event-reading.ts'
import type { SqliteDatabase } from './sqlite-database.ts'
import type { Scope, Transactions } from './transactions.ts'

const SNAPSHOT = `SELECT aggregate_id, last_seq, state_json, created_at, state_version FROM snapshots
  WHERE aggregate_type = ? AND aggregate_id = ?`
const SAVE_SNAPSHOT = `INSERT INTO snapshots (id, aggregate_type, aggregate_id, last_seq, state_json, created_at, state_version)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
  SET last_seq = ?4, state_json = ?5, created_at = ?6, state_version = ?7
  WHERE state_version <> ?7 OR last_seq <= ?4`

const firstOf = ([stored]: readonly Event[]): Event => {
  if (stored !== undefined) return stored
  throw new FlowForgeError('INTERNAL', 'An append answered with no event.')
}

/** The store of the document's events over SQLite. `scope` is the transaction that its calls belong to, if one is given. */
export const createEventStore = (
  database: SqliteDatabase,
  transactions: Transactions,
  world: StoreWorld,
  scope: Scope | null,
  archived: ArchivedEvents = noArchivedEvents
): EventStorePort => {
  const appendAll = createAppending(database, world, archived)
  const appendMany: EventStorePort['appendMany'] = (events) =>
    archived.isEmpty()
      ? transactions.performGathered(scope, appendAll, events)
      : archived.through(scope, (at) => transactions.performGathered(at, appendAll, events))

  return {
    // `then` and not `await`: the promise stays part of the transaction that it was given in.
    append: (event) => appendMany([event]).then(firstOf),
    appendMany,
    ...createEventReading(database, transactions, archived, scope),
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
