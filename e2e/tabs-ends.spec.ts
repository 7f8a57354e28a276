import { test, type BrowserContext, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, type Profile } from './app.ts'
import { countTo, follow, heardBy, openTab, positions, roleOf, settled, startAppends } from './tabs.ts'

/** The ways in which a leader ends; each answers when it has. */
const ENDS: Readonly<Record<string, (leader: Page, browser: BrowserContext) => Promise<unknown>>> = {
  'tab is closed': (leader) => leader.close(),
  'tab is reloaded': (leader) => leader.reload(),
  'tab crashes': async (leader, browser) => {
    const session = await browser.newCDPSession(leader)
    const crashed = leader.waitForEvent('crash')
    // It is never answered: nobody is left who could.
    session.send('Page.crash').catch(() => undefined)
    await crashed
  },
  'worker ends': async (leader) => {
    const worker = leader.workers().find((each) => each.url().includes('/main-'))
    if (worker === undefined) throw new Error('The page has no worker.')
    await worker.evaluate(() => self.close()).catch(() => undefined)
  }
}
const COUNT = 300

const indexesOf = (page: Page, aggregateId: string) =>
  page.evaluate(
    async (id) => (await window.db.loadEvents({ aggregateId: id })).map(({ payload }) => payload['index']),
    aggregateId
  )

test.describe('a leader that ends', () => {
  let profile: Profile
  let browser: BrowserContext
  test.beforeEach(async () => {
    profile = freshProfile()
    ;({ browser } = await openBrowser(profile))
  })
  test.afterEach(async () => {
    await browser.close()
    profile.remove()
  })

  for (const [how, end] of Object.entries(ENDS)) {
    test(`when its ${how}, what is under way lands once and in order, and nobody misses anything`, async ({
      baseURL
    }) => {
      const address = String(baseURL)
      const leader = await openApp(browser, address)
      const others = [await openTab(browser, address), await openTab(browser, address)]
      const [, watching] = others
      if (watching === undefined) throw new Error('Two tabs were opened.')
      expect(await roleOf(leader)).toBe('leader')
      await follow(watching, 0)
      await Promise.all(others.map((page, index) => startAppends(page, `s:${index}`, COUNT)))
      const own = how === 'worker ends'
      if (own) {
        await follow(leader, 0)
        await startAppends(leader, 's:own', COUNT)
      }
      await end(leader, browser)
      const living = own ? [...others, leader] : others
      for (const page of living) expect(await settled(page)).toEqual(countTo(COUNT))
      const all = await positions(watching)
      expect(all).toHaveLength(living.length * COUNT)
      await expect.poll(() => heardBy(watching)).toEqual(all)
      if (own) await expect.poll(() => heardBy(leader)).toEqual(all)
      for (const [index] of others.entries()) {
        expect(await indexesOf(watching, `s:${index}`)).toEqual(countTo(COUNT).map((seq) => seq - 1))
      }
      const roles = await Promise.all(others.map(roleOf))
      expect(roles.filter((role) => role === 'leader').length).toBeLessThanOrEqual(1)
      if (how === 'tab is reloaded' || own) {
        expect(await roleOf(leader)).toBe('follower')
        expect(roles).toContain('leader')
      }
    })
  }
})
