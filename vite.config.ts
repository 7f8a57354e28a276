import ui from '@nuxt/ui/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { VitePWA } from 'vite-plugin-pwa'

export default defineConfig({
  plugins: [
    vue(),
    ui({
      colorMode: true,
      autoImport: false,
      components: false,
      // Icons come with the bundle: nothing is asked of the network at run time.
      icon: { clientBundle: { scan: true } },
      ui: { colors: { primary: 'indigo', neutral: 'zinc' } }
    }),
    VitePWA({
      registerType: 'prompt',
      manifest: false,
      workbox: {
        globPatterns: ['**/*.{html,js,css,svg,png,webmanifest}', '**/sqlite3*.wasm'],
        globIgnores: ['**/duckdb*'],
        maximumFileSizeToCacheInBytes: 8 * 1024 * 1024
      }
    })
  ],
  worker: { format: 'es' },
  optimizeDeps: { exclude: ['@sqlite.org/sqlite-wasm', '@duckdb/duckdb-wasm'] },
  build: { target: 'es2022', assetsInlineLimit: 0 },
  server: { host: 'localhost' }
})
