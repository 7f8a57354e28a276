import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { chromiumArguments, chromiumPath } from '../scripts/chromium.mjs'
import type { Profile } from './app.ts'

/**
 * A browser whose own page for it puts tabs to sleep and takes them out of memory. Playwright keeps every page focused,
 * which makes freezing do nothing; puppeteer does not.
 */
export const openSleepy = (profile: Profile): Promise<Browser> => {
  mkdirSync(profile.folder, { recursive: true })
  // `chrome://discards` is there for whoever has switched on the browser's debug pages.
  writeFileSync(join(profile.folder, 'Local State'), JSON.stringify({ internal_only_uis_enabled: true }))
  return puppeteer.launch({
    executablePath: chromiumPath() ?? '/usr/bin/chromium',
    args: chromiumArguments,
    userDataDir: profile.folder
  })
}

/** No tab is discarded that a debugger looks into: looks into all but those whose address has this in it. */
export const lookAway = async (browser: Browser, address: string): Promise<Browser> => {
  const browserWSEndpoint = browser.wsEndpoint()
  await browser.disconnect()
  return puppeteer.connect({ browserWSEndpoint, targetFilter: (target) => !target.url().includes(address) })
}
/** Looks into all again. */
export const lookBack = async (browser: Browser): Promise<Browser> => {
  const browserWSEndpoint = browser.wsEndpoint()
  await browser.disconnect()
  return puppeteer.connect({ browserWSEndpoint })
}
export const pageAt = async (browser: Browser, address: string): Promise<Page> => {
  const page = (await browser.pages()).find((each) => each.url().includes(address))
  if (page === undefined) throw new Error(`No page is at ${address}.`)
  return page
}

/** Freezes or discards the tab whose title this is, as the browser does when memory runs short. */
export const tellBrowser = async (
  browser: Browser,
  what: 'Freeze' | 'Urgent Discard',
  title: string
): Promise<void> => {
  const page = await browser.newPage()
  await page.goto('chrome://discards')
  await page.waitForFunction(
    (action, name) => {
      const inner = (root: ParentNode | null | undefined, selector: string) =>
        root?.querySelector(selector)?.shadowRoot
      const tab = inner(inner(document, 'discards-main'), 'discards-tab')
      const row = [...(tab?.querySelectorAll('tbody tr') ?? [])].find((each) =>
        each.textContent.includes(name)
      )
      const link = [...(row?.querySelectorAll<HTMLElement>('[is=action-link]') ?? [])].find(
        (each) => each.textContent.trim() === `[${action}]`
      )
      link?.click()
      return link !== undefined
    },
    { timeout: 20_000 },
    what,
    title
  )
  await page.close()
}

export const roleOf = (page: Page) => page.evaluate(async () => (await window.flowforge.status()).role)

/** Follows the log from its beginning, under `heard`. */
export const follow = (page: Page) =>
  page.evaluate(() => {
    const heard: number[] = []
    Object.assign(window, { heard })
    window.db.subscribe({ afterPosition: 0 }, ({ position }) => heard.push(position))
  })
export const heardBy = (page: Page) => page.evaluate(() => Reflect.get(window, 'heard') as number[])

/** Starts appends without waiting; `settled` in the page tells how they ended. */
export const startAppends = (page: Page, stream: string, count: number) =>
  page.evaluate(
    (aggregateId, total) => {
      const calls = Array.from({ length: total }, (_, index) =>
        window.db.appendEvent({ aggregateId, eventType: 'Counted', payload: { index } })
      )
      Object.assign(window, { settled: Promise.all(calls) })
    },
    stream,
    count
  )
/** Appends ten at a time, as long as the page lives or until `stopAppends`, which tells how all have ended. */
export const keepAppending = (page: Page, stream: string) =>
  page.evaluate((aggregateId) => {
    let isOver = false
    const append = async (): Promise<number[]> => {
      const seqs: number[] = []
      for (let index = 0; !isOver;) {
        const calls = Array.from({ length: 10 }, () =>
          window.db.appendEvent({ aggregateId, eventType: 'Counted', payload: { index: index++ } })
        )
        // oxlint-disable-next-line no-await-in-loop -- ten at a time
        seqs.push(...(await Promise.all(calls)).map(({ seq }) => seq))
      }
      return seqs
    }
    const appended = append()
    Object.assign(window, {
      stopAppends: () => {
        isOver = true
        return appended
      }
    })
  }, stream)
export const stopAppends = (page: Page) =>
  page.evaluate(() => (Reflect.get(window, 'stopAppends') as () => Promise<number[]>)())
export const settled = (page: Page) =>
  page.evaluate(async () =>
    ((await Reflect.get(window, 'settled')) as { seq: number }[]).map(({ seq }) => seq)
  )
export const indexesOf = (page: Page, stream: string) =>
  page.evaluate(
    async (aggregateId) =>
      (await window.db.loadEvents({ aggregateId })).map(({ payload }) => payload['index']),
    stream
  )
export const positions = (page: Page) =>
  page.evaluate(async () => (await window.db.readAll({ limit: 100_000 })).map(({ position }) => position))
