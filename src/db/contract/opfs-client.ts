import { proxy, transfer, transferHandlers, wrap } from 'comlink'
import { fromWireError, type WireError } from '../flowforge-error.ts'
import type { Migration } from '../migrations/migrations.ts'
import type { DbContext } from '../ports.ts'
import type { OpfsWorkerApi } from './opfs-worker.ts'

const thrown = transferHandlers.get('throw')
if (thrown === undefined) throw new Error('Comlink has no handler for what is thrown')
transferHandlers.set('throw', {
  ...thrown,
  deserialize: (wire: WireError): never => {
    throw fromWireError(wire)
  }
})

export type OpfsWorker = {
  readonly open: (directory: string, steps?: readonly Migration[]) => Promise<DbContext>
  readonly look: OpfsWorkerApi['look']
  readonly ask: OpfsWorkerApi['ask']
  readonly leaveHalfCopy: OpfsWorkerApi['leaveHalfCopy']
  readonly releaseWhileTaken: OpfsWorkerApi['releaseWhileTaken']
  readonly end: () => void
}

/** The ports of a context in the worker. Its transactions are not among them: a function cannot join one from outside. */
const toPorts = (remote: DbContext): DbContext => ({
  eventStore: remote.eventStore,
  projectionStore: remote.projectionStore,
  blobStore: {
    put: (args) => remote.blobStore.put(args),
    get: (args) => remote.blobStore.get(args),
    stat: (args) => remote.blobStore.stat(args),
    open: (args) => remote.blobStore.open(args),
    remove: (args) => remote.blobStore.remove(args),
    putStream: (args) => remote.blobStore.putStream(transfer(args, [args.stream]))
  },
  tx: {
    runInTransaction: () => Promise.reject(new Error('Transactions are run in the worker.'))
  },
  health: { state: () => remote.health.state(), check: () => remote.health.check() },
  log: {
    chain: () => remote.log.chain(),
    seal: () => remote.log.seal(),
    verify: () => remote.log.verify()
  },
  archive: {
    measure: (args) => remote.archive.measure(args),
    move: ({ aggregateIds, folder }) => remote.archive.move({ aggregateIds, folder }),
    list: () => remote.archive.list(),
    verify: (args) => remote.archive.verify(args),
    bringBack: (args) => remote.archive.bringBack(args),
    folders: () => remote.archive.folders(),
    connect: (args) => remote.archive.connect(args)
  },
  rebuilds: remote.rebuilds,
  openPast: () => Promise.reject(new Error('A past is opened in the worker.')),
  onCommit: (listener) => {
    void remote.onCommit(proxy(listener))
    return () => undefined
  },
  facts: () => remote.facts(),
  backup: remote.backup,
  close: () => remote.close()
})

export const startOpfsWorker = (): OpfsWorker =>
  toOpener(new Worker(new URL('./opfs-worker.ts', import.meta.url), { type: 'module' }))

/** The same over DuckDB, which keeps nothing: the directory is of no meaning. */
export const startDuckDBWorker = (): Pick<OpfsWorker, 'open' | 'end'> =>
  toOpener(new Worker(new URL('./duckdb-worker.ts', import.meta.url), { type: 'module' }))

/**
 * Contexts of workers that have not been ended. Comlink closes the port of a proxy that nobody holds any longer, and the
 * answers of calls under way are lost with it.
 */
const held = new Set<readonly [worker: Worker, remote: DbContext]>()

const toOpener = (worker: Worker): OpfsWorker => {
  const api = wrap<OpfsWorkerApi>(worker)
  return {
    open: async (directory, steps) => {
      // Comlink's types know proxies of functions alone; its proxies follow a path of properties as well.
      const remote = (await api.open(directory, steps)) as unknown as DbContext
      held.add([worker, remote])
      return toPorts(remote)
    },
    look: (directory) => api.look(directory),
    ask: (...args) => api.ask(...args),
    leaveHalfCopy: (...args) => api.leaveHalfCopy(...args),
    releaseWhileTaken: (name) => api.releaseWhileTaken(name),
    end: () => {
      worker.terminate()
      for (const pair of held) if (pair[0] === worker) held.delete(pair)
    }
  }
}
