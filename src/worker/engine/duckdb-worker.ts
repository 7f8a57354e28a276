/** DuckDB's own worker; what is imported first sees how it starts, and that it ends. */
import './duckdb-life.ts'
import './duckdb-memory.ts'
import './duckdb-reads.ts'
import '@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js'
