import { openDuckDBReplica } from './duckdb-replica.ts'
import type { ToReplica } from './messages.ts'
import { serveReplica } from './serve-replica.ts'

/** The worker of the analytics replica. */
const startHere = async () => (await import('../duckdb/duckdb-in-browser.ts')).startInBrowser()
const hear = serveReplica(
  () => openDuckDBReplica(startHere),
  (message, transfer = []) => globalThis.postMessage(message, transfer)
)
globalThis.onmessage = ({ data }: MessageEvent<ToReplica>) => hear(data)
