import { expose, proxy, transferHandlers } from 'comlink'
import { toWireError } from '../flowforge-error.ts'
import { openDbContext } from '../index.ts'
import type { DbContext } from '../ports.ts'
import { testWorld } from './store-contract.ts'

/** Opens contexts over OPFS in a dedicated worker, the one place that has sync access handles. */
const api = {
  open: async (directory: string): Promise<DbContext> =>
    proxy(await openDbContext({ storage: 'opfs', directory, ...testWorld() }))
}
export type OpfsWorkerApi = typeof api

const thrown = transferHandlers.get('throw')
if (thrown === undefined) throw new Error('Comlink has no handler for what is thrown')
transferHandlers.set('throw', {
  ...thrown,
  serialize: (value) => [toWireError(Reflect.get(Object(value), 'value')), []]
})
expose(api)
