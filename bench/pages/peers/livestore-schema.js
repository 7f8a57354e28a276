/** LiveStore's log and one table that its materializer writes; the seq of a stream is the materializer's work. */
import { Events, Schema, State, makeSchema } from '@livestore/livestore'

export const events = {
  measured: Events.synced({
    name: 'Measured',
    schema: Schema.Struct({
      id: Schema.String,
      aggregateId: Schema.String,
      payload: Schema.Struct({
        index: Schema.Number,
        name: Schema.String,
        amounts: Schema.Array(Schema.Number),
        note: Schema.String
      })
    })
  })
}

export const tables = {
  events: State.SQLite.table({
    name: 'events',
    columns: {
      id: State.SQLite.text({ primaryKey: true }),
      aggregateId: State.SQLite.text(),
      seq: State.SQLite.integer(),
      payload: State.SQLite.text()
    },
    indexes: [{ name: 'events_by_stream', columns: ['aggregateId', 'seq'], isUnique: true }]
  })
}

const materializers = State.SQLite.materializers(events, {
  Measured: ({ id, aggregateId, payload }) => ({
    sql: `INSERT INTO events (id, aggregateId, seq, payload) VALUES ($id, $aggregateId,
      coalesce((SELECT max(seq) FROM events WHERE aggregateId = $aggregateId), 0) + 1, $payload)`,
    bindValues: { id, aggregateId, payload: JSON.stringify(payload) },
    writeTables: new Set(['events'])
  })
})

export const schema = makeSchema({ events, state: State.SQLite.makeState({ tables, materializers }) })
