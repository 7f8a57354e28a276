import { wrap } from 'comlink'
import { openDuckDB, runByHand } from './duckdb-by-hand.js'

const sqlite = wrap(new Worker(new URL('./sqlite-worker.js', import.meta.url), { type: 'module' }))

window.bare = {
  openSqlite: () => sqlite.open(),
  append: (event) => sqlite.append(event),
  appendMany: (events) => sqlite.appendMany(events),
  load: async (aggregateId) => JSON.parse(new TextDecoder().decode(await sqlite.load(aggregateId))),
  /** A fresh engine a round, started before the clock is. */
  workflow: async () => {
    const [big, small] = document.querySelector('#files').files
    const db = await openDuckDB()
    try {
      return await runByHand(db, big, small)
    } finally {
      await db.terminate()
    }
  }
}
