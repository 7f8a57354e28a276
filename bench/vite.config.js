import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  worker: { format: 'es' },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0 },
  optimizeDeps: { exclude: ['@sqlite.org/sqlite-wasm', '@duckdb/duckdb-wasm'] }
})
