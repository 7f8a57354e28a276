import { expose, proxy, transferHandlers } from 'comlink'
import { openDuckDBContext } from '../duckdb/duckdb-context.ts'
import { toWireError } from '../flowforge-error.ts'
import type { DbContext } from '../ports.ts'
import type { OpfsWorkerApi } from './opfs-worker.ts'
import { testWorld } from './store-contract.ts'

/** The same as `opfs-worker.ts` over the other adapter: as the app's worker opens it. */
const api: Pick<OpfsWorkerApi, 'open'> = {
  open: async (): Promise<DbContext> => proxy(await openDuckDBContext({ storage: 'memory', ...testWorld() }))
}

const thrown = transferHandlers.get('throw')
if (thrown === undefined) throw new Error('Comlink has no handler for what is thrown')
transferHandlers.set('throw', {
  ...thrown,
  serialize: (value) => [toWireError(Reflect.get(Object(value), 'value')), []]
})
expose(api)
