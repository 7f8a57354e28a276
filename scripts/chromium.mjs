/** Where the browser is that tests and benchmarks drive, and the arguments it needs here (also as root, also in CI). */
import { existsSync } from 'node:fs'

export const chromiumPath = () =>
  [
    process.env['CHROMIUM_PATH'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome'
  ].find((path) => path !== undefined && path !== '' && existsSync(path))

export const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]
