/** DuckDB as `db/index.ts` takes it; every adapter has a file of these names. */
export {
  openDuckDBContext as openContext,
  prepareDuckDB as prepareStorage,
  type DuckDBOptions as ContextOptions
} from './duckdb-context.ts'
