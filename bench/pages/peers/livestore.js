/**
 * LiveStore with its persisted adapter. `commit` answers before anything is stored; what is awaited here is that the
 * leader's worker has confirmed it, the strongest acknowledgement that a page can ask for.
 */
import { makePersistedAdapter } from '@livestore/adapter-web'
// oxlint-disable-next-line import/default -- Vite makes it of the suffix
import LiveStoreSharedWorker from '@livestore/adapter-web/shared-worker?sharedworker'
import { createStorePromise, liveStoreVersion, queryDb } from '@livestore/livestore'
// oxlint-disable-next-line import/default -- Vite makes it of the suffix
import LiveStoreWorker from './livestore-worker.js?worker'
import { events, schema, tables } from './livestore-schema.js'

let store
const waiting = new Set()

const confirmed = () =>
  new Promise((resolve) => {
    if (store.syncStatus().isSynced) resolve()
    else waiting.add(resolve)
  })

const toMeasured = ({ aggregateId, payload }) =>
  events.measured({ id: crypto.randomUUID(), aggregateId, payload })

const toEvent = (row) => ({
  id: row.id,
  seq: row.seq,
  eventType: 'Measured',
  payload: JSON.parse(row.payload)
})

const queryOf = (stream) => queryDb(tables.events.where({ aggregateId: stream }).orderBy('seq', 'asc'))

export const peer = {
  open: async (directory) => {
    store = await createStorePromise({
      adapter: makePersistedAdapter({
        storage: { type: 'opfs' },
        worker: LiveStoreWorker,
        sharedWorker: LiveStoreSharedWorker
      }),
      schema,
      storeId: directory,
      batchUpdates: (run) => run()
    })
    store.subscribeSyncStatus(({ isSynced }) => {
      if (!isSynced) return
      for (const resolve of waiting) resolve()
      waiting.clear()
    })
    return `LiveStore ${liveStoreVersion}`
  },
  append: async (event) => {
    const measured = toMeasured(event)
    store.commit(measured)
    await confirmed()
    return measured.args.id
  },
  appendMany: async (list) => {
    const measured = list.map(toMeasured)
    store.commit(...measured)
    await confirmed()
    return measured.map(({ args }) => args.id)
  },
  load: async (stream) => store.query(queryOf(stream)).map(toEvent),
  count: async () => store.query(queryDb(tables.events.count())),
  follow: (stream, heard) => {
    store.subscribe(queryOf(stream), (rows) => heard(rows.map(toEvent)))
  },
  close: () => store.shutdownPromise()
}
