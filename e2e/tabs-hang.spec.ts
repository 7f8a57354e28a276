import { test, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser } from './app.ts'
import { expectScreen } from './expect-screen.ts'
import { countTo, follow, heardBy, openTab, positions, roleOf, settled, startAppends } from './tabs.ts'

const COUNT = 100
const SILENT = /another tab of flowforge does not answer/i
const STUCK = /background worker does not answer/i

/** The worker does nothing any more but turn in a circle; it keeps its lock and its files. */
const hang = (page: Page): void => {
  const worker = page.workers().find((each) => each.url().includes('/main-'))
  if (worker === undefined) throw new Error('The page has no worker.')
  // A task of its own: one of the debugger's could not be ended.
  void worker.evaluate(() => {
    setTimeout(() => {
      for (;;);
    })
  })
}

test('a leader that hangs is named in every tab, and started again by a person’s word; what was asked lands once', async ({
  baseURL
}) => {
  const profile = freshProfile()
  const { browser } = await openBrowser(profile)
  const leader = await openApp(browser, String(baseURL))
  const follower = await openTab(browser, String(baseURL))
  await follow(leader, 0)
  await follow(follower, 0)
  await startAppends(leader, 's:0', COUNT)
  await startAppends(follower, 's:1', COUNT)
  hang(leader)
  await startAppends(follower, 's:2', COUNT)
  await expectScreen(follower, SILENT)
  await expectScreen(leader, STUCK)
  // Nobody else takes what the one that hangs has open.
  const { held = [] } = await follower.evaluate(() => navigator.locks.query())
  expect(held.filter(({ name }) => name === 'flowforge-storage')).toHaveLength(1)

  await follower.getByRole('button', { name: 'Start it again' }).click()
  for (const page of [leader, follower]) expect(await settled(page)).toEqual(countTo(COUNT))
  const all = await positions(follower)
  expect(all).toHaveLength(3 * COUNT)
  for (const page of [leader, follower]) {
    await expect.poll(() => heardBy(page)).toEqual(all)
    await expect(page.getByRole('heading', { name: /does not answer/i })).toBeHidden()
  }
  expect([await roleOf(leader), await roleOf(follower)]).toEqual(['follower', 'leader'])
  await browser.close()
  profile.remove()
})
