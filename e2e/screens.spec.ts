import { AxeBuilder } from '@axe-core/playwright'
import { test, type BrowserContext, type Page } from '@playwright/test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { distFolder, expect, freshProfile, isServed, openApp, openBrowser, serveApp } from './app.ts'

const LARGEST_START = 280 * 1024

const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [
    { width: 1280, height: 800 },
    { width: 390, height: 844 }
  ].map((screen) => ({ colorScheme, screen }))
)

/** What a screen needs to have been done before it can be looked at. */
const fill = (page: Page): Promise<{ workflowId: string; runId: string; dataSourceId: string }> =>
  page.evaluate(async () => {
    const { workflowId } = await window.flowforge.examples.open({ example: 'delays-by-state' })
    const { runId } = await window.flowforge.runs.start({ workflowId })
    const { status } = await window.flowforge.runs.wait({ runId })
    if (status !== 'succeeded') throw new Error(`The example's run is ${status}.`)
    const [source] = await window.db.queryProjection({ sql: 'SELECT id FROM data_sources ORDER BY name' })
    return { workflowId, runId, dataSourceId: String(source?.['id']) }
  })

/** Nothing serious for those who cannot see it, no page that is wider than its screen. */
const expectFit = async (page: Page, screen: string): Promise<void> => {
  // A dialog or notice that still fades in would be judged by colours that nobody reads.
  await page.evaluate(async () => {
    await Promise.all(
      document
        .getAnimations()
        .flatMap((animation) =>
          animation.effect?.getComputedTiming().endTime === Infinity
            ? []
            : [animation.finished.catch(() => null)]
        )
    )
  })
  const { violations } = await new AxeBuilder({ page }).analyze()
  const grave = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => ({
      id,
      nodes: nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`)
    }))
  expect.soft(grave, `${screen}: axe`).toEqual([])
  const { wide, shown } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    shown: document.documentElement.clientWidth
  }))
  expect.soft(wide, `${screen}: width`).toBeLessThanOrEqual(shown)
}

const collectErrors = (browser: BrowserContext): string[] => {
  const errors: string[] = []
  browser.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  browser.on('weberror', (error) => errors.push(error.error().message))
  return errors
}

test.describe('every screen', () => {
  // Seven screens are loaded and judged in one test; a busy machine takes its time.
  test.describe.configure({ timeout: 300_000 })
  for (const { colorScheme, screen } of looks) {
    test(`${colorScheme}, ${screen.width} wide: nothing grave for axe, no overflow, no console error`, async ({
      baseURL
    }) => {
      const profile = freshProfile()
      const { browser } = await openBrowser(profile, { colorScheme, screen })
      const errors = collectErrors(browser)
      const page = await openApp(browser, String(baseURL))
      await expect(page.getByText('Your workflows will be listed here')).toBeVisible()
      await expectFit(page, 'no workflows')

      const { workflowId, runId, dataSourceId } = await fill(page)
      const address = (path: string): string => new URL(path, String(baseURL)).href

      await page.goto(address('/workflows'))
      await expect(page.getByRole('link', { name: 'Delays by state' }).first()).toBeVisible()
      await expectFit(page, 'workflows')

      await page.goto(address(`/workflows/${workflowId}`))
      await expect(page.getByText('By state').first()).toBeVisible()
      await expectFit(page, 'editor')

      await page.goto(address(`/data/${dataSourceId}`))
      await expect(page.getByRole('grid').first()).toBeVisible()
      await expectFit(page, 'data')

      await page.goto(address('/runs'))
      await expect(page.getByText('Delays by state').first()).toBeVisible()
      await expectFit(page, 'runs')

      await page.goto(address(`/runs/${runId}`))
      await expect(page.getByRole('grid').first()).toBeVisible()
      await expectFit(page, 'run')

      await page.goto(address('/settings'))
      await expect(page.getByRole('heading', { name: 'Settings' }).first()).toBeVisible()
      await expectFit(page, 'settings')

      expect(errors).toEqual([])
      await browser.close()
      profile.remove()
    })
  }
})

test.describe('the start', () => {
  test('comes up from the service worker when nothing serves the app', async () => {
    const profile = freshProfile()
    const server = await serveApp()
    const first = await openBrowser(profile)
    const page = await openApp(first.browser, server.address)
    await page.evaluate(async () => {
      await navigator.serviceWorker.ready
    })
    await first.browser.close()
    await server.stop()
    expect(await isServed(server.address)).toBe(false)

    const second = await openBrowser(profile)
    const again = second.browser.pages()[0] ?? (await second.browser.newPage())
    const started = performance.now()
    await again.goto(server.address, { waitUntil: 'commit' })
    await expect(again.getByText('Your workflows will be listed here')).toBeVisible()
    const firstScreen = performance.now() - started
    const paint = await again.evaluate(
      () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN
    )
    console.log(
      `First screen after an offline start: ${Math.round(firstScreen)} ms, first paint ${Math.round(paint)} ms`
    )
    await second.browser.close()
    profile.remove()
  })

  test('asks for less than 280 KB of JavaScript', () => {
    const html = readFileSync(join(distFolder, 'index.html'), 'utf8')
    const scripts = [...html.matchAll(/<(script|link)\b[^>]*>/g)].flatMap(([tag, element]) => {
      if (element === 'link' && !/rel="modulepreload"/.test(tag)) return []
      const path = /(?:src|href)="([^"]+\.js)"/.exec(tag)?.[1]
      return path === undefined ? [] : [path]
    })
    expect(scripts.length).toBeGreaterThan(0)
    const bytes = scripts.reduce(
      (sum, path) => sum + gzipSync(readFileSync(join(distFolder, path))).byteLength,
      0
    )
    console.log(`JavaScript at the start: ${Math.round(bytes / 1024)} KB in ${scripts.length} files, gzipped`)
    expect(bytes).toBeLessThan(LARGEST_START)
  })
})
