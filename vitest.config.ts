import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { chromiumArguments, chromiumPath } from './scripts/chromium.mjs'
import { duckdbBlocking } from './scripts/duckdb-blocking.ts'

const executablePath = chromiumPath()

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          environment: 'node',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'crash/**/*.test.ts'],
          exclude: ['src/**/*.browser.test.ts'],
          testTimeout: 20_000
        }
      },
      {
        resolve: { alias: duckdbBlocking },
        optimizeDeps: {
          exclude: ['@sqlite.org/sqlite-wasm', '@duckdb/duckdb-wasm', 'parquet-wasm'],
          // All of them are named. One that is found late, in a worker, has the page loaded anew in the middle of a test; it
          // happens only where nothing is cached, in a fresh clone.
          noDiscovery: true,
          include: [
            '@streamparser/json',
            '@vue/test-utils',
            'apache-arrow',
            'apache-arrow/ipc/metadata/file',
            'comlink',
            'fast-check',
            'hash-wasm',
            'papaparse',
            'read-excel-file/web-worker',
            'uuid',
            'vue',
            'write-excel-file/browser',
            'zod'
          ]
        },
        worker: { format: 'es' },
        test: {
          name: 'browser',
          // They share an origin, and with it the lock and the channel by which tabs find each other.
          fileParallelism: false,
          include: ['src/**/*.browser.test.ts'],
          setupFiles: ['scripts/browser-tests.ts'],
          testTimeout: 60_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: {
                args: [...chromiumArguments, '--js-flags=--expose-gc'],
                ...(executablePath ? { executablePath } : {})
              }
            }),
            instances: [{ browser: 'chromium' }]
          }
        }
      }
    ]
  }
})
