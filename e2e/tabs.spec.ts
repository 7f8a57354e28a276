import { test, type BrowserContext } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, type Profile } from './app.ts'
import { countTo, follow, heardBy, openTab, positions, roleOf, settled, startAppends } from './tabs.ts'

test.describe('several tabs', () => {
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

  test('a second tab works through the first, and each sees what the other does', async ({ baseURL }) => {
    const first = await openApp(browser, String(baseURL))
    const second = await openTab(browser, String(baseURL))
    expect([await roleOf(first), await roleOf(second)]).toEqual(['leader', 'follower'])
    await Promise.all([follow(first, 0), follow(second, 0)])

    const { dataSourceId } = await second.evaluate(() =>
      window.flowforge.sources.importFile({
        file: new File(['a,b\n1,2\n'], 'small.csv', { type: 'text/csv' })
      })
    )
    const preview = await first.evaluate(
      (id) => window.flowforge.sources.preview({ dataSourceId: id }),
      dataSourceId
    )
    expect(preview.rows).toEqual([{ a: 1, b: 2 }])
    await second.evaluate(async () => {
      await window.db.putBlob({ key: 'k', data: new Uint8Array([1, 2, 3]), contentType: 'text/plain' })
    })
    const blob = await second.evaluate(async () => {
      const found = await window.db.getBlob({ key: 'k' })
      return found === null ? null : { data: [...found.data], contentType: found.contentType }
    })
    expect(blob).toEqual({ data: [1, 2, 3], contentType: 'text/plain' })

    // An error keeps its code and details on the way.
    const refused = await second.evaluate(() =>
      window.db
        .appendEvent({ aggregateId: 'tab:1', eventType: 'T', payload: {}, expectedSeq: 7 })
        .catch((error: { code: string; details: unknown }) => ({ code: error.code, details: error.details }))
    )
    expect(refused).toMatchObject({ code: 'CONFLICT', details: { expectedSeq: 7 } })

    await startAppends(first, 'tab:1', 100)
    await startAppends(second, 'tab:2', 100)
    expect(await settled(first)).toEqual(countTo(100))
    expect(await settled(second)).toEqual(countTo(100))
    const all = await positions(second)
    await expect.poll(() => heardBy(first)).toEqual(all)
    await expect.poll(() => heardBy(second)).toEqual(all)
  })

  test('the screen of a second tab follows what the first one does', async ({ baseURL }) => {
    const first = await openApp(browser, String(baseURL))
    const second = await openTab(browser, `${String(baseURL)}/workflows`)
    await first.evaluate(() => window.flowforge.workflows.create({ name: 'Made next door' }))
    await expect(second.getByText('Made next door').first()).toBeVisible()
  })

  test('when the leading tab is closed, what is under way elsewhere lands once, and followers miss nothing', async ({
    baseURL
  }) => {
    const address = String(baseURL)
    let leader = await openApp(browser, address)
    const others = [await openTab(browser, address), await openTab(browser, address)]
    const watching = await openTab(browser, address)
    await follow(watching)
    await watching.evaluate(() => window.flowforge.status())
    const total = 300
    for (const [round, next] of [...others].entries()) {
      const living = others.slice(round)
      await Promise.all(living.map((page, index) => startAppends(page, `round-${round}:${index}`, total)))
      await leader.close()
      for (const page of living) expect(await settled(page)).toEqual(countTo(total))
      await expect.poll(() => roleOf(next)).toBe('leader')
      leader = next
    }
    const all = await positions(watching)
    expect(all).toHaveLength(3 * total)
    await expect.poll(() => heardBy(watching)).toEqual(all)
    const indexes = await watching.evaluate(async () =>
      (await window.db.loadEvents({ aggregateId: 'round-0:0' })).map(({ payload }) => payload['index'])
    )
    // In the order of the calls, across the change.
    expect(indexes).toEqual(countTo(total).map((seq) => seq - 1))
  })

  test('workflows that are being made when the leading tab is closed are each made once', async ({
    baseURL
  }) => {
    const address = String(baseURL)
    const leader = await openApp(browser, address)
    const follower = await openTab(browser, address)
    await follower.evaluate(() => {
      Object.assign(window, {
        created: Promise.all(
          Array.from({ length: 20 }, (_, index) => window.flowforge.workflows.create({ name: `W${index}` }))
        )
      })
    })
    await leader.waitForFunction(async () => {
      const [row] = await window.db.queryProjection({ sql: 'SELECT count(*) AS n FROM workflows' })
      return Number(row?.['n']) >= 1
    })
    await leader.close()
    const ids = await follower.evaluate(async () =>
      ((await Reflect.get(window, 'created')) as { workflowId: string }[]).map(({ workflowId }) => workflowId)
    )
    expect(new Set(ids).size).toBe(20)
    const names = await follower.evaluate(() =>
      window.db.queryProjection({ sql: 'SELECT name FROM workflows ORDER BY name' })
    )
    expect(names.map((row) => row['name'])).toEqual(
      Array.from({ length: 20 }, (_, index) => `W${index}`).toSorted()
    )
  })

  test('a tab beside another version says so, on any screen, and goes on when that one is gone', async ({
    baseURL
  }) => {
    const address = String(baseURL)
    // The part of a leader that is another build: a page of the same origin which holds the lock and answers so.
    const foreign = await browser.newPage()
    await foreign.goto(`${address}/examples/delays-by-state.json`)
    await foreign.evaluate(async () => {
      await new Promise<void>((resolve) => {
        void navigator.locks.request('flowforge-storage', () => {
          resolve()
          return new Promise(() => undefined)
        })
      })
      const common = new BroadcastChannel('flowforge-tabs')
      common.onmessage = ({ data }: MessageEvent<{ type: string; tab: string }>) => {
        if (data.type !== 'hello') return
        new BroadcastChannel(`flowforge-tab-${data.tab}`).postMessage({
          type: 'welcome',
          epoch: 'another',
          build: 'another'
        })
      }
    })
    const page = await browser.newPage()
    await page.goto(address)
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize({ width, height: 800 })
        await expect(page.getByText(/another version of flowforge/i)).toBeVisible()
        await test.info().attach(`${colorScheme}-${width}`, {
          body: await page.screenshot(),
          contentType: 'image/png'
        })
      }
    }
    const refused = await page.evaluate(() =>
      window.flowforge.status().then(
        () => null,
        (error: { code: string }) => error.code
      )
    )
    expect(refused).toBe('STORAGE_UNAVAILABLE')
    await foreign.close()
    await expect.poll(() => roleOf(page).catch(() => null)).toBe('leader')
    await expect(page.getByText(/another version of flowforge/i)).toBeHidden()
  })
})
