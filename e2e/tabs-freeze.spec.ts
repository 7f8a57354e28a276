import { test } from '@playwright/test'
import type { Browser, Page } from 'puppeteer-core'
import { expect, freshProfile, type Profile } from './app.ts'
import {
  follow,
  heardBy,
  indexesOf,
  keepAppending,
  lookAway,
  lookBack,
  openSleepy,
  pageAt,
  positions,
  roleOf,
  settled,
  startAppends,
  stopAppends,
  tellBrowser
} from './sleeping-tabs.ts'
import { countTo } from './tabs.ts'

const COUNT = 400
const indexes = countTo(COUNT).map((seq) => seq - 1)

test.describe('a leader that the browser puts away', () => {
  let profile: Profile
  let browser: Browser
  let gone: Promise<unknown>
  test.beforeEach(async () => {
    profile = freshProfile()
    browser = await openSleepy(profile)
    const child = browser.process()
    gone = new Promise((resolve) => void child?.once('exit', resolve))
  })
  test.afterEach(async () => {
    await browser.close()
    // Who has come to it later does not wait for its end.
    await gone
    profile.remove()
  })

  const open = async (address: string): Promise<Page> => {
    const page = await browser.newPage()
    await page.goto(address)
    await page.waitForFunction(() => 'flowforge' in window)
    await page.evaluate(() => window.flowforge.status())
    await follow(page)
    return page
  }
  /** A leader with the title `leads`, and a follower, each with calls under way. */
  const openBoth = async (address: string): Promise<{ leader: Page; follower: Page }> => {
    const leader = await open(address)
    const follower = await open(address)
    expect([await roleOf(leader), await roleOf(follower)]).toEqual(['leader', 'follower'])
    await leader.evaluate(() => {
      document.title = 'leads'
    })
    return { leader, follower }
  }

  for (const how of ['the browser itself', 'the protocol']) {
    test(`frozen by ${how} with calls under way it hands over, and goes on when it wakes`, async ({
      baseURL
    }) => {
      const { leader, follower } = await openBoth(String(baseURL))
      const session = await leader.createCDPSession()
      await startAppends(leader, 's:leader', COUNT)
      await startAppends(follower, 's:follower', COUNT)
      if (how === 'the protocol') await session.send('Page.setWebLifecycleState', { state: 'frozen' })
      else await tellBrowser(browser, 'Freeze', 'leads')
      expect(await settled(follower)).toEqual(countTo(COUNT))
      await expect.poll(() => roleOf(follower)).toBe('leader')
      await startAppends(follower, 's:meanwhile', COUNT)
      expect(await settled(follower)).toEqual(countTo(COUNT))

      await session.send('Page.setWebLifecycleState', { state: 'active' })
      await leader.bringToFront()
      expect(await settled(leader)).toEqual(countTo(COUNT))
      expect(await roleOf(leader)).toBe('follower')
      const all = await positions(follower)
      expect(all).toHaveLength(3 * COUNT)
      for (const page of [leader, follower]) await expect.poll(() => heardBy(page)).toEqual(all)
      for (const stream of ['s:leader', 's:follower', 's:meanwhile']) {
        expect(await indexesOf(leader, stream)).toEqual(indexes)
      }
    })
  }

  test('discarded with calls under way it hands over, and follows when a person comes back to it', async ({
    baseURL
  }) => {
    const leading = await open(`${String(baseURL)}/workflows?leads`)
    const following = await open(`${String(baseURL)}/workflows?follows`)
    expect([await roleOf(leading), await roleOf(following)]).toEqual(['leader', 'follower'])
    await leading.evaluate(() => {
      document.title = 'leads'
    })
    await keepAppending(leading, 's:leader')
    await keepAppending(following, 's:follower')

    browser = await lookAway(browser, '?leads')
    await tellBrowser(browser, 'Urgent Discard', 'leads')
    const follower = await pageAt(browser, '?follows')
    await expect.poll(() => roleOf(follower)).toBe('leader')
    const answered = await stopAppends(follower)
    expect(answered).toEqual(countTo(answered.length))
    expect(await indexesOf(follower, 's:follower')).toEqual(answered.map((seq) => seq - 1))
    // Nobody is left who waited for these: what landed did so once, in order, and without a gap.
    const landed = await indexesOf(follower, 's:leader')
    expect(landed.length).toBeGreaterThan(0)
    expect(landed).toEqual(countTo(landed.length).map((seq) => seq - 1))
    const all = await positions(follower)
    expect(all).toHaveLength(answered.length + landed.length)
    await expect.poll(() => heardBy(follower)).toEqual(all)

    browser = await lookBack(browser)
    const back = await pageAt(browser, '?leads')
    await back.bringToFront()
    await back.waitForFunction(() => 'flowforge' in window)
    expect(await back.evaluate(() => Reflect.get(document, 'wasDiscarded'))).toBe(true)
    expect(await roleOf(back)).toBe('follower')
    expect(await positions(back)).toEqual(all)
  })
})
