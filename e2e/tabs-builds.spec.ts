import { test, type BrowserContext, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, type Profile } from './app.ts'
import { startEndless, statusOf } from './endless-run.ts'
import { expectScreen } from './expect-screen.ts'
import { openTab, roleOf } from './tabs.ts'

/** When a build was built stands in its worker; here is the same code, built far in the future. */
const BUILT_AT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g
const serveNewer = async (to: BrowserContext | Page): Promise<void> => {
  await to.route(/\/assets\/main-[^/]*\.js$/, async (route) => {
    const response = await route.fetch()
    const code = await response.text()
    await route.fulfill({ response, body: code.replaceAll(BUILT_AT, '2999-01-01T00:00:00.000Z') })
  })
}

const append = (page: Page, aggregateId: string) =>
  page.evaluate(
    (id) =>
      window.db.appendEvent({ aggregateId: id, eventType: 'T', payload: {} }).then(
        ({ seq }) => String(seq),
        (error: { code: string }) => error.code
      ),
    aggregateId
  )

test.describe('tabs of several builds', () => {
  let profile: Profile
  let browser: BrowserContext
  test.beforeEach(async () => {
    profile = freshProfile()
    ;({ browser } = await openBrowser(profile, { serviceWorkers: 'block' }))
  })
  test.afterEach(async () => {
    await browser.close()
    profile.remove()
  })

  test('a newer one takes over, and the older ones ask to be reloaded', async ({ baseURL }) => {
    const address = String(baseURL)
    const first = await openApp(browser, address)
    const second = await openTab(browser, address)
    await append(second, 'a:1')
    const newer = await browser.newPage()
    await serveNewer(newer)
    await openApp(browser, address, newer)
    expect(await roleOf(newer)).toBe('leader')
    expect(await append(newer, 'a:1')).toBe('2')
    for (const page of [first, second]) {
      await expect(page.getByRole('heading', { name: /reload to get the newer/i })).toBeVisible()
      expect(await append(page, 'a:1')).toBe('NOT_ALLOWED')
    }
    await expectScreen(first, /reload to get the newer/i)
    await serveNewer(browser)
    await first.getByRole('button', { name: 'Reload' }).click()
    await expect.poll(() => roleOf(first).catch(() => null)).toBe('follower')
    expect(await append(first, 'a:1')).toBe('3')
  })

  test('a newer one waits for a run that the older one carries out', async ({ baseURL }) => {
    const address = String(baseURL)
    const older = await openApp(browser, address)
    const runId = await startEndless(older)
    await expect.poll(async () => (await statusOf(older, runId)).status).toBe('running')
    const newer = await browser.newPage()
    await serveNewer(newer)
    await newer.goto(address)
    await expectScreen(newer, /a run is under way/i)
    expect((await statusOf(older, runId)).status).toBe('running')
    await older.evaluate((id) => window.flowforge.runs.cancel({ runId: id }), runId)
    await expect.poll(() => roleOf(newer)).toBe('leader')
    expect((await statusOf(newer, runId)).status).toBe('canceled')
    await expect(older.getByRole('heading', { name: /reload to get the newer/i })).toBeVisible()
  })

  test('a tab that is not answered says which other one is in the way, and goes on when that has gone', async ({
    baseURL
  }) => {
    const stuck = await browser.newPage()
    await stuck.goto(`${String(baseURL)}/examples/delays-by-state.json`)
    await stuck.evaluate(async () => {
      for (const name of ['flowforge-leader 2026-01-01T12:34:00.000Z stuck', 'flowforge-storage']) {
        await new Promise<void>((resolve) => {
          void navigator.locks.request(name, () => {
            resolve()
            return new Promise(() => undefined)
          })
        })
      }
    })
    const page = await browser.newPage()
    await page.goto(String(baseURL))
    await expectScreen(page, /another tab of flowforge does not answer/i)
    const time = await page.evaluate(() =>
      new Date('2026-01-01T12:34:00.000Z').toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    )
    await expect(page.getByText(`since ${time}`)).toBeVisible()
    await stuck.close()
    await expect.poll(() => roleOf(page)).toBe('leader')
    await expect(page.getByRole('heading', { name: /does not answer/i })).toBeHidden()
  })
})
