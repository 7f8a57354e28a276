/** DuckDB's own worker; what is imported first sees how it starts. */
import './duckdb-memory.ts'
import '@duckdb/duckdb-wasm/dist/duckdb-browser-eh.worker.js'
