import { expose, proxy } from 'comlink'
import { openDbContext } from '../db/index.ts'
import { toFlowForgeError, toWireError, type DbContext } from '../db/ports.ts'
import { SubscribeInput, type Boot, type WorkerApi } from './api.ts'
import { keepErrorCodes, parseInput } from './boundary.ts'
import { createDeferred } from './deferred.ts'
import { openComputeEngine } from './engine/open-compute-engine.ts'
import { createDoor, createGate } from './gate.ts'
import { takeLead } from './leader.ts'
import { followQuery } from './live-queries.ts'
import { startProgram } from './program.ts'
import { followEvents } from './subscriptions.ts'
import { systemWorld } from './world.ts'

/** The composition root: opens storage, wires, exposes; nothing else. */
const gate = createGate()
const opened = createDeferred<DbContext>()

const api: WorkerApi = {
  ...createDoor(gate),
  onBoot: async (listener) => gate.listen(listener),
  liveQuery: async (query, listener) => {
    await gate.program()
    return proxy(followQuery(await opened.promise, query, listener))
  },
  subscribe: async (args, listener, onFailure) => {
    await gate.program()
    const query = parseInput('subscribe', SubscribeInput, args)
    return proxy(
      followEvents(await opened.promise, query, listener, (thrown) => onFailure(toWireError(thrown)))
    )
  },
  onProgress: async (listener) => proxy((await gate.program()).onProgress(listener))
}

keepErrorCodes()
// Before the first await: calls that arrive earlier would be lost.
expose(api)

const toBoot = (thrown: unknown): Boot => {
  const { code, message } = toFlowForgeError(thrown)
  return code === 'STORAGE_UNAVAILABLE'
    ? { state: 'storage-unavailable', message }
    : { state: 'failed', code, message }
}

const boot = async (): Promise<void> => {
  await takeLead(() => gate.tell({ state: 'other-tab' }))
  gate.tell({ state: 'starting' })
  const context = await openDbContext({ storage: 'opfs', now: systemWorld.now, newId: systemWorld.newId })
  opened.resolve(context)
  const engine = openComputeEngine({ blobStore: context.blobStore })
  gate.open(await startProgram({ context, engine, world: systemWorld, baseUrl: import.meta.env.BASE_URL }))
}

boot().catch((thrown: unknown) => {
  console.error('FlowForge could not start', thrown)
  gate.tell(toBoot(thrown))
})
