import { expect, test, type BrowserContext, type Page } from '@playwright/test'
import { createRandom } from '../crash/random.ts'
import { carryOutKilled, type WorkBrowser, type WorkTab } from '../crash/work/killed-run.ts'
import { startPeopleService } from '../crash/work/people-service.ts'
import { createPeopleWork } from '../crash/work/people-work.ts'
import { freshProfile, openApp, openBrowser } from './app.ts'

/** Ways in which a page ends without a warning: its process dies, or its tab is closed. */
type How = 'crashed' | 'closed'

const end = async (browser: BrowserContext, page: Page, how: How): Promise<void> => {
  if (how === 'crashed') {
    const session = await browser.newCDPSession(page)
    const crashed = page.waitForEvent('crash')
    // The process that would answer is the one that ends.
    session.send('Page.crash').catch(() => undefined)
    await crashed
  }
  if (!page.isClosed()) await page.close()
}

/** The browser ends with its last tab: another one is there before a tab is ended. */
const tabsOf = (browser: BrowserContext): WorkBrowser<How> => {
  const pages = new Map<WorkTab, Page>()
  return {
    open: async () => {
      const page = await openApp(browser, '/', browser.pages().at(-1))
      const tab: WorkTab = {
        evaluate: <Given, Answer>(work: (given: Given) => Promise<Answer>, given: Given) =>
          // The library's type thinks that an argument could be a handle, which ours never is.
          page.evaluate(work as (given: unknown) => Promise<Answer>, given)
      }
      pages.set(tab, page)
      return tab
    },
    kill: async (tab, how) => {
      const page = pages.get(tab)
      if (page === undefined) return
      await browser.newPage()
      await end(browser, page, how)
    }
  }
}

test('a run that is killed on its way asks for nobody again whose answer is on record', async () => {
  const profile = freshProfile()
  const work = createPeopleWork({ seed: 11, orders: 2_000, people: 300 })
  const service = await startPeopleService(work)
  try {
    const { browser } = await openBrowser(profile)
    const ways: How[] = ['crashed', 'closed', 'crashed']
    const done = await carryOutKilled<How>({
      work,
      service,
      browser: tabsOf(browser),
      kills: ways.length,
      random: createRandom(11),
      pickKill: () => ways.shift() ?? 'crashed'
    })
    expect(done.problems).toEqual([])
    // It was as bad as it was meant to be.
    expect([...done.verdict.statuses.keys()]).toEqual(expect.arrayContaining([200, 429, 500, null]))
    expect(done.kills).toEqual(
      new Map([
        ['crashed', 2],
        ['closed', 1]
      ])
    )
    await browser.close()
  } finally {
    await service.close()
    profile.remove()
  }
})
