import { defineConfig } from 'vite'

/** The peers' pages; each is served twice, once as SQLocal needs it. */
export default defineConfig({
  root: `${import.meta.dirname}/pages`,
  base: './',
  worker: { format: 'es' },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 10_000
  }
})
