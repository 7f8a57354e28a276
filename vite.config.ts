import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'
import { bundledLicences } from './scripts/bundled-licences.ts'
import { duckdbBlocking } from './scripts/duckdb-blocking.ts'

const licences = bundledLicences()

/** Lists the compute engine's files for the page, which keeps them for offline use once they are wanted. */
const engineAssets = (): Plugin => ({
  name: 'flowforge:engine-assets',
  apply: 'build',
  generateBundle: {
    order: 'post',
    handler(_options, bundle) {
      const assets = Object.values(bundle)
        .filter(({ fileName }) => /(duckdb|parquet_wasm)[^/]*\.(wasm|js)$/.test(fileName))
        .map((file) => ({
          url: `/${file.fileName}`,
          bytes: Buffer.byteLength(file.type === 'chunk' ? file.code : file.source)
        }))
      this.emitFile({ type: 'asset', fileName: 'engine-assets.json', source: JSON.stringify(assets) })
    }
  }
})

/** Orders builds, so that a tab knows the newer of two; `SOURCE_DATE_EPOCH` (s) makes a build reproducible. */
const builtAt = (): string => {
  const epoch = process.env['SOURCE_DATE_EPOCH']
  return new Date(epoch === undefined ? Date.now() : Number(epoch) * 1_000).toISOString()
}

/** DuckDB's package says that none of its files has side effects; its worker's script is nothing but. */
const keepDuckDBWorker = (): Plugin => ({
  name: 'flowforge:keep-duckdb-worker',
  transform: {
    filter: { id: /duckdb-browser-eh\.worker\.js$/ },
    handler: (code) => ({ code, map: null, moduleSideEffects: true })
  }
})

/**
 * Makes the switch that `src/db/index.ts` promises, for the build that proves it: `FLOWFORGE_ADAPTER=duckdb` changes
 * that file's one import, and nothing else.
 */
const otherAdapter = (adapter: string | undefined): Plugin => ({
  name: 'flowforge:other-adapter',
  enforce: 'pre',
  resolveId(source, importer) {
    if (adapter === undefined || source !== './sqlite/adapter.ts') return null
    if (importer?.endsWith('/src/db/index.ts') !== true) return null
    return fileURLToPath(new URL(`./src/db/${adapter}/adapter.ts`, import.meta.url))
  }
})
const adapter = process.env['FLOWFORGE_ADAPTER']

export default defineConfig(({ command }) => ({
  define: { FLOWFORGE_BUILT_AT: JSON.stringify(command === 'build' ? builtAt() : '') },
  plugins: [
    vue(),
    ui({
      colorMode: true,
      autoImport: false,
      components: false,
      // Icons come with the bundle: nothing is asked of the network at run time.
      icon: { clientBundle: { scan: { globInclude: ['src/app/**/*.{vue,ts}'], globExclude: [] } } },
      ui: { colors: { primary: 'indigo', neutral: 'zinc' } }
    }),
    engineAssets(),
    licences.write(),
    VitePWA({
      registerType: 'prompt',
      manifest: false,
      workbox: {
        globPatterns: [
          '**/*.{html,js,css,svg,png,webmanifest}',
          '**/sqlite3*.wasm',
          'engine-assets.json',
          'licences.txt',
          'examples/*'
        ],
        globIgnores: ['**/duckdb*'],
        maximumFileSizeToCacheInBytes: 8 * 1024 * 1024,
        // From the first visit on: what is used then is there when the network is not.
        clientsClaim: true,
        cleanupOutdatedCaches: true,
        runtimeCaching: [
          {
            urlPattern: /\/assets\/(duckdb|parquet_wasm)[^/]*\.(wasm|js)$/,
            handler: 'CacheFirst',
            options: {
              // `src/app/shell/engine-cache.ts` reads and tidies it under the same name.
              cacheName: 'flowforge-engine',
              matchOptions: { ignoreVary: true },
              cacheableResponse: { statuses: [200] }
            }
          }
        ]
      }
    })
  ],
  resolve: { alias: duckdbBlocking },
  worker: { format: 'es', plugins: () => [otherAdapter(adapter), keepDuckDBWorker(), licences.collect()] },
  optimizeDeps: { exclude: ['@sqlite.org/sqlite-wasm', '@duckdb/duckdb-wasm', 'parquet-wasm'] },
  build: { target: 'es2022', assetsInlineLimit: 0 },
  server: { host: 'localhost' }
}))
