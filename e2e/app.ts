import { chromium, expect, type BrowserContext, type Page } from '@playwright/test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { preview } from 'vite'
import { chromiumArguments, chromiumPath } from '../scripts/chromium.mjs'

/** A browser profile on disk, as a person has one: OPFS, caches and service worker last until it is removed. */
export type Profile = { readonly folder: string; readonly remove: () => void }

export const freshProfile = (): Profile => {
  const folder = mkdtempSync(join(tmpdir(), 'flowforge-profile-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

export type Screen = { readonly width: number; readonly height: number }

/** Starts a browser on a profile. `requests` collects every address that it asks for. */
export const openBrowser = async (
  profile: Profile,
  options: { screen?: Screen; colorScheme?: 'light' | 'dark'; serviceWorkers?: 'block' } = {}
): Promise<{ browser: BrowserContext; requests: string[] }> => {
  const executablePath = chromiumPath()
  const browser = await chromium.launchPersistentContext(profile.folder, {
    args: chromiumArguments,
    ...(executablePath === undefined ? {} : { executablePath }),
    viewport: options.screen ?? { width: 1280, height: 800 },
    colorScheme: options.colorScheme ?? 'light',
    serviceWorkers: options.serviceWorkers ?? 'allow',
    acceptDownloads: true
  })
  const requests: string[] = []
  browser.on('request', (request) => requests.push(request.url()))
  return { browser, requests }
}

/** Opens the app and waits until its worker answers; in the browser's first tab where none is given. */
export const openApp = async (browser: BrowserContext, address: string, tab?: Page): Promise<Page> => {
  const page = tab ?? browser.pages()[0] ?? (await browser.newPage())
  await page.goto(address)
  await page.waitForFunction(() => 'flowforge' in window)
  await page.evaluate(() => window.flowforge.status())
  return page
}

/** Asks of the network other than of the app's own origin; bytes that the page holds itself are no requests. */
export const foreign = (requests: readonly string[], origin: string): string[] =>
  requests.filter((url) => !url.startsWith(origin) && !/^(data|blob):/.test(url))

/** Drops files on the page as a person does from a folder. */
export const dropFiles = async (
  page: Page,
  files: readonly { name: string; type: string; base64: string }[]
): Promise<void> => {
  const transfer = await page.evaluateHandle((dropped) => {
    const data = new DataTransfer()
    for (const { name, type, base64 } of dropped) {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
      data.items.add(new File([bytes], name, { type }))
    }
    return data
  }, files)
  for (const event of ['dragenter', 'dragover', 'drop']) {
    await page.dispatchEvent('body', event, { dataTransfer: transfer })
  }
}

/** Where the built app lies; a build that was written elsewhere is named by `FLOWFORGE_DIST`. */
export const distFolder = process.env['FLOWFORGE_DIST'] ?? 'dist'

/** Serves the built app on a free port, for journeys that go on when nothing serves it any more. */
export const serveApp = async (
  folder = distFolder
): Promise<{ address: string; stop: () => Promise<void> }> => {
  const server = await preview({
    build: { outDir: folder },
    preview: { host: 'localhost', port: 0 },
    logLevel: 'error'
  })
  const address = server.resolvedUrls?.local[0]
  if (address === undefined) throw new Error('The preview server listens on no local address.')
  return { address, stop: () => server.close() }
}

/** Is anything still served there? */
export const isServed = async (address: string): Promise<boolean> => {
  try {
    await fetch(address)
    return true
  } catch {
    return false
  }
}

export { expect }
