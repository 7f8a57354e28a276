import { openDuckDB, runByHand } from '../duckdb-by-hand.js'

export const peer = {
  open: async () => 'DuckDB-WASM',
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
