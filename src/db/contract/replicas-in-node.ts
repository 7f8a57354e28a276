import { openDuckDBReplica } from '../replica/duckdb-replica.ts'
import type { FromReplica, ReplicaChannel } from '../replica/messages.ts'
import type { ReplicaStore } from '../replica/replica-store.ts'
import { serveReplica } from '../replica/serve-replica.ts'
import { openSqliteReplica } from '../replica/sqlite-replica.ts'
import type { ReplicaKind } from '../replica-port.ts'
import { startInNode } from './duckdb-in-node.ts'

/** A replica in the same thread; what crosses is cloned, as it would be on its way to a worker. */
const inThread = (open: () => Promise<ReplicaStore>): ReplicaChannel => {
  let tell: (message: FromReplica) => void = () => undefined
  let isOver = false
  const hear = serveReplica(open, (message) => {
    if (!isOver) tell(structuredClone(message))
  })
  return {
    post: (message) => hear(structuredClone(message)),
    listen: (onMessage) => {
      tell = onMessage
    },
    end: () => {
      isOver = true
    }
  }
}

/** `touch` may reach into the stores, to make them differ. */
export const replicasInThread = (
  touch: (kind: ReplicaKind, store: ReplicaStore) => ReplicaStore = (_kind, store) => store
): Readonly<Record<ReplicaKind, () => ReplicaChannel>> => ({
  plain: () => inThread(async () => touch('plain', await openSqliteReplica())),
  analytics: () => inThread(async () => touch('analytics', await openDuckDBReplica(startInNode)))
})
