import { defineConfig } from '@playwright/test'
import { chromiumArguments, chromiumPath } from './scripts/chromium.mjs'

const executablePath = chromiumPath()
/** Another port lets several checkouts be tested on one machine. */
const port = process.env['FLOWFORGE_PORT'] ?? '4173'

/** The journeys run against the built app, as a person gets it: `npm run build` first. */
export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  workers: 1,
  timeout: 120_000,
  reporter: [['list']],
  use: {
    baseURL: `http://localhost:${port}`,
    launchOptions: { args: chromiumArguments, ...(executablePath ? { executablePath } : {}) }
  },
  webServer: {
    command: `npx vite preview --host localhost --port ${port} --strictPort`,
    url: `http://localhost:${port}`,
    reuseExistingServer: false
  }
})
