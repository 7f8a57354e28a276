/** Dexie over IndexedDB, whose transactions are asked to be on the disk before they are complete. */
import { Dexie, liveQuery } from 'dexie'
import { typeOf } from '../event-table.js'

let database

const ofStream = (stream) =>
  database.events
    .where('[aggregateType+aggregateId+seq]')
    .between([typeOf(stream), stream, Dexie.minKey], [typeOf(stream), stream, Dexie.maxKey])

const headOf = async (stream) => (await ofStream(stream).last())?.seq ?? 0

const recordOf = (event, seq, txId) => ({
  id: crypto.randomUUID(),
  aggregateType: typeOf(event.aggregateId),
  aggregateId: event.aggregateId,
  eventType: event.eventType,
  eventVersion: 1,
  seq,
  txId,
  payload: event.payload,
  createdAt: new Date().toISOString()
})

const load = (stream) => ofStream(stream).toArray()

export const peer = {
  open: async (directory) => {
    database = new Dexie(directory, { chromeTransactionDurability: 'strict' })
    database.version(1).stores({
      events: '++position, &id, &[aggregateType+aggregateId+seq], txId, createdAt, [eventType+position]'
    })
    await database.open()
    return 'IndexedDB'
  },
  append: (event) =>
    database.transaction('rw', database.events, async () => {
      const record = recordOf(event, (await headOf(event.aggregateId)) + 1, crypto.randomUUID())
      await database.events.add(record)
      return record.id
    }),
  appendMany: (events) =>
    database.transaction('rw', database.events, async () => {
      const txId = crypto.randomUUID()
      const heads = new Map()
      const records = []
      for (const event of events) {
        const stream = event.aggregateId
        const seq = (heads.get(stream) ?? (await headOf(stream))) + 1
        heads.set(stream, seq)
        records.push(recordOf(event, seq, txId))
      }
      await database.events.bulkAdd(records)
      return records.map(({ id }) => id)
    }),
  load,
  count: () => database.events.count(),
  follow: (stream, heard) => {
    liveQuery(() => load(stream)).subscribe(heard)
  },
  close: () => database.close()
}
