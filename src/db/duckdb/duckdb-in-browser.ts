import {
  BROWSER_RUNTIME,
  createDuckDB,
  VoidLogger
} from '@duckdb/duckdb-wasm/dist/duckdb-browser-blocking.mjs'
import wasmUrl from '@duckdb/duckdb-wasm/dist/duckdb-eh.wasm?url'
import type { StartDuckDB } from './duckdb-instance.ts'

/**
 * Starts DuckDB in the worker that calls this, from a file of our own origin. The build that blocks answers at once,
 * as SQLite's does: whole units of work run before anybody else's.
 */
export const startInBrowser: StartDuckDB = async () => {
  const none = { mainModule: '', mainWorker: '' }
  const eh = { mainModule: new URL(wasmUrl, globalThis.location.href).href, mainWorker: '' }
  const bindings = await createDuckDB({ mvp: none, eh }, new VoidLogger(), BROWSER_RUNTIME)
  await bindings.instantiate(() => undefined)
  return bindings
}
