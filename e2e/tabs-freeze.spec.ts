import { test } from '@playwright/test'
import puppeteer, { type Page } from 'puppeteer-core'
import { chromiumArguments, chromiumPath } from '../scripts/chromium.mjs'
import { expect, freshProfile } from './app.ts'

const roleOf = (page: Page) => page.evaluate(async () => (await window.flowforge.status()).role)
const append = (page: Page, index: number) =>
  page.evaluate(
    async (value) =>
      (await window.db.appendEvent({ aggregateId: 'a:1', eventType: 'T', payload: { value } })).seq,
    index
  )

/** Playwright keeps every page focused, which makes freezing do nothing; puppeteer does not. */
test('a leader that the browser freezes hands over, and goes on when it wakes', async ({ baseURL }) => {
  const profile = freshProfile()
  const browser = await puppeteer.launch({
    executablePath: chromiumPath() ?? '/usr/bin/chromium',
    args: chromiumArguments,
    userDataDir: profile.folder
  })
  const open = async (): Promise<Page> => {
    const page = await browser.newPage()
    await page.goto(String(baseURL))
    await page.waitForFunction(() => 'flowforge' in window)
    await page.evaluate(() => window.flowforge.status())
    return page
  }
  try {
    const leader = await open()
    await leader.evaluate(() => {
      const heard: number[] = []
      Object.assign(window, { heard })
      window.db.subscribe({ afterPosition: 0 }, ({ seq }) => heard.push(seq))
    })
    const follower = await open()
    expect([await roleOf(leader), await roleOf(follower)]).toEqual(['leader', 'follower'])
    expect(await append(leader, 1)).toBe(1)
    const session = await leader.createCDPSession()
    await session.send('Page.setWebLifecycleState', { state: 'frozen' })
    expect(await append(follower, 2)).toBe(2)
    expect(await roleOf(follower)).toBe('leader')
    await session.send('Page.setWebLifecycleState', { state: 'active' })
    expect(await append(leader, 3)).toBe(3)
    expect(await roleOf(leader)).toBe('follower')
    await expect
      .poll(() => leader.evaluate(() => Reflect.get(window, 'heard') as number[]))
      .toEqual([1, 2, 3])
  } finally {
    await browser.close()
    profile.remove()
  }
})
