import type { ToReplica } from './messages.ts'
import { serveReplica } from './serve-replica.ts'
import { openSqliteReplica } from './sqlite-replica.ts'

/** The worker of the plain replica. */
const hear = serveReplica(openSqliteReplica, (message, transfer = []) =>
  globalThis.postMessage(message, transfer)
)
globalThis.onmessage = ({ data }: MessageEvent<ToReplica>) => hear(data)
