import { createDuckDB, NODE_RUNTIME, VoidLogger } from '@duckdb/duckdb-wasm/blocking'
import { createRequire } from 'node:module'
import type { StartDuckDB } from '../duckdb/duckdb-instance.ts'

/** Starts the same build in Node; for tests. */
export const startInNode: StartDuckDB = async () => {
  const none = { mainModule: '', mainWorker: '' }
  const file = createRequire(import.meta.url).resolve('@duckdb/duckdb-wasm/dist/duckdb-eh.wasm')
  const bundles = { mvp: none, eh: { mainModule: file, mainWorker: '' } }
  const bindings = await createDuckDB(bundles, new VoidLogger(), NODE_RUNTIME)
  await bindings.instantiate(() => undefined)
  return bindings
}
