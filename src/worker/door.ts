import { proxy } from 'comlink'
import { toWireError } from '../db/ports.ts'
import { DoorCall, SubscribeInput, LiveQueryInput, type RescueApi, type WorkerApi } from './api.ts'
import { parseInput } from './boundary.ts'
import type { Gate } from './gate.ts'
import { holdLock } from './locks.ts'
import type { Target } from './tabs/target.ts'

/**
 * What the worker exposes: each call waits for somebody who answers it. Calls made to a worker that exposes only when it
 * is ready would be lost.
 */
export const createDoor = (target: Target, gate: Pick<Gate, 'listen'>, rescue: RescueApi): WorkerApi => ({
  rescue: proxy(rescue),
  call: async (call, wasSent) => {
    const { id, path, args } = parseInput('call', DoorCall, call)
    return target.call({ id, path, args }, wasSent)
  },
  forget: async (id) => target.forget(id),
  holdLock: async (name) => {
    await holdLock(name)
  },
  ping: async () => undefined,
  onBoot: async (listener) => gate.listen(listener),
  liveQuery: async (query, listener) =>
    proxy(target.liveQuery(parseInput('liveQuery', LiveQueryInput, query), listener)),
  subscribe: async (args, listener, onFailure) =>
    proxy(
      target.subscribe(parseInput('subscribe', SubscribeInput, args), listener, (thrown) =>
        onFailure(toWireError(thrown))
      )
    ),
  onProgress: async (listener) => proxy(target.onProgress(listener))
})
