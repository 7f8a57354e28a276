import { fileURLToPath } from 'node:url'

/** The package's `exports` leave out its build for browsers that blocks; this is where it lies. */
export const duckdbBlocking = {
  '@duckdb/duckdb-wasm/dist/duckdb-browser-blocking.mjs': fileURLToPath(
    new URL('../node_modules/@duckdb/duckdb-wasm/dist/duckdb-browser-blocking.mjs', import.meta.url)
  )
}
