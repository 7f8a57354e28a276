import type { BrowserContext, Page } from '@playwright/test'
import { openApp } from './app.ts'

export const openTab = async (browser: BrowserContext, address: string): Promise<Page> =>
  openApp(browser, address, await browser.newPage())

export const roleOf = (page: Page) => page.evaluate(async () => (await window.flowforge.status()).role)

/** Follows the log in a page from a position on, and keeps what it is told under `heard`. */
export const follow = (page: Page, afterPosition?: number) =>
  page.evaluate((after) => {
    const heard: number[] = []
    Object.assign(window, { heard })
    window.db.subscribe(after === undefined ? {} : { afterPosition: after }, (event) =>
      heard.push(event.position)
    )
  }, afterPosition)
export const heardBy = (page: Page) => page.evaluate(() => Reflect.get(window, 'heard') as number[])

export const positions = (page: Page) =>
  page.evaluate(async () => (await window.db.readAll({ limit: 100_000 })).map(({ position }) => position))

/** Starts appends without waiting; `settled` in the page tells how they ended. */
export const startAppends = (page: Page, stream: string, count: number) =>
  page.evaluate(
    ([aggregateId, total]) => {
      const calls = Array.from({ length: total }, (_, index) =>
        window.db.appendEvent({ aggregateId, eventType: 'Counted', payload: { index } })
      )
      Object.assign(window, { settled: Promise.all(calls) })
    },
    [stream, count] as const
  )
export const settled = (page: Page) =>
  page.evaluate(async () =>
    ((await Reflect.get(window, 'settled')) as { seq: number }[]).map(({ seq }) => seq)
  )

export const countTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
