/** What computes: the library, and the engine within it. Rows of another build are not taken for the same; a test compares it. */
export const ENGINE_BUILD = 'duckdb-wasm 1.32.0, DuckDB v1.4.3'
