import type { ReplicaKind } from '../replica-port.ts'
import type { FromReplica, ReplicaChannel } from './messages.ts'

const toChannel = (worker: Worker): ReplicaChannel => ({
  post: (message, transfer = []) => worker.postMessage(message, transfer),
  listen: (onMessage, onDeath) => {
    worker.onmessage = ({ data }: MessageEvent<FromReplica>) => onMessage(data)
    worker.onerror = ({ message }) => onDeath(message || 'The worker could not be started.')
    worker.onmessageerror = () => onDeath('A message could not be read.')
  },
  end: () => worker.terminate()
})

/** Each replica in a worker of its own; ending it gives all of its memory back. */
export const replicaWorkers: Readonly<Record<ReplicaKind, () => ReplicaChannel>> = {
  plain: () =>
    toChannel(new Worker(new URL('./plain-worker.ts', import.meta.url), { type: 'module', name: 'replica' })),
  analytics: () =>
    toChannel(
      new Worker(new URL('./analytics-worker.ts', import.meta.url), { type: 'module', name: 'analytics' })
    )
}
