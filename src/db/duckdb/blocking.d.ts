/** The build for browsers that blocks: the package has it, and names neither its path nor its types. */
declare module '@duckdb/duckdb-wasm/dist/duckdb-browser-blocking.mjs' {
  import type { DuckDBBindings, DuckDBBundles, DuckDBRuntime, Logger } from '@duckdb/duckdb-wasm/blocking'
  export { VoidLogger } from '@duckdb/duckdb-wasm/blocking'
  export const BROWSER_RUNTIME: DuckDBRuntime
  export const createDuckDB: (
    bundles: DuckDBBundles,
    logger: Logger,
    runtime: DuckDBRuntime
  ) => Promise<DuckDBBindings>
}
