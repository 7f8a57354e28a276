import { AxeBuilder } from '@axe-core/playwright'
import { expect, test } from '@playwright/test'
import {
  startTestService,
  type Behaviour,
  type TestService
} from '../src/worker/http/contract/test-service.ts'
import { freshProfile, openApp, openBrowser, type Profile } from './app.ts'

/** Orders in pages of two; `count` of them. */
const orders =
  (count: number): Behaviour =>
  ({ url, headers }) => {
    if (headers.authorization !== 'Bearer hunter2') return { status: 401 }
    const page = Number(new URL(url, 'http://x').searchParams.get('page'))
    const all = Array.from({ length: count }, (_, at) => ({ id: at + 1, big: '9007199254740993' }))
    return { body: JSON.stringify({ data: all.slice(2 * page - 2, 2 * page) }) }
  }

let profile: Profile
let service: TestService
test.beforeEach(async () => {
  profile = freshProfile()
  service = await startTestService(orders(5))
})
test.afterEach(async () => {
  await service.close()
  profile.remove()
})

test('a data source is tried, fetched and refreshed from the web, its secret kept nowhere', async () => {
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, '/data')
  const noFaults = async (): Promise<void> => {
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([])
  }
  await page.getByRole('button', { name: 'From the web' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Fetch' }).click()
  await expect(dialog.getByRole('alert')).toContainText('Address')
  await dialog.getByLabel('Address').fill(`${service.url}/orders`)
  await dialog.getByLabel('Name').fill('orders')
  await dialog.getByLabel('Rows').fill('/data')
  await dialog.getByLabel('Pages', { exact: true }).selectOption('page')
  await dialog.getByLabel('Parameter').fill('page')
  await dialog.getByRole('button', { name: 'Add header' }).click()
  await dialog.getByRole('textbox', { name: 'Header 1' }).fill('Authorization')
  await dialog.getByLabel('Value of Authorization').fill('Bearer wrong')
  await dialog.getByRole('button', { name: 'Try' }).click()
  await expect(dialog.getByRole('alert')).toContainText('status 401', { timeout: 60_000 })
  await dialog.getByLabel('Value of Authorization').fill('Bearer hunter2')
  await dialog.getByRole('button', { name: 'Try' }).click()
  // The engine is loaded for it.
  await expect(dialog.getByText('2 rows on the first page:')).toBeVisible({ timeout: 60_000 })
  await expect(dialog.getByRole('region', { name: 'First rows' })).toContainText('9007199254740993')
  await noFaults()
  await page.screenshot({ path: 'test-results/web-source-dialog.png' })
  await dialog.getByRole('button', { name: 'Fetch' }).click()
  await expect(page.getByRole('heading', { name: 'orders' })).toBeVisible({ timeout: 60_000 })
  await expect(page.getByText('4 pages')).toBeVisible()
  await noFaults()
  await page.screenshot({ path: 'test-results/web-source.png' })
  await page.setViewportSize({ width: 390, height: 800 })
  await page.emulateMedia({ colorScheme: 'dark' })
  await noFaults()
  await page.screenshot({ path: 'test-results/web-source-narrow.png' })
  await page.setViewportSize({ width: 1280, height: 800 })

  const rowCount = () =>
    page.evaluate(async () => {
      const sql = "SELECT id FROM data_sources WHERE kind = 'http'"
      const [source] = await window.db.queryProjection({ sql })
      const { total } = await window.flowforge.sources.preview({ dataSourceId: String(source?.['id']) })
      return total
    })
  expect(await rowCount()).toBe(5)
  // A page that fails leaves what was there.
  service.behave((seen, nth) => (seen.url.endsWith('page=3') ? { status: 404 } : orders(9)(seen, nth)))
  await page.getByRole('button', { name: 'Refresh' }).click()
  await page.getByRole('dialog').getByLabel('Authorization').fill('Bearer hunter2')
  await page.getByRole('dialog').getByRole('button', { name: 'Refresh' }).click()
  await expect(page.getByRole('dialog').getByRole('alert')).toContainText('Page 3', { timeout: 60_000 })
  expect(await rowCount()).toBe(5)
  service.behave(orders(9))
  await page.getByRole('dialog').getByRole('button', { name: 'Refresh' }).click()
  await expect(page.getByRole('dialog')).toHaveCount(0, { timeout: 60_000 })
  await expect(page.getByText('6 pages')).toBeVisible()
  expect(await rowCount()).toBe(9)

  const kept = await page.evaluate(async () => {
    const { requests, total } = await window.flowforge.requests.list({ limit: 1_000 })
    const ledger = await window.db.queryProjection({ sql: 'SELECT * FROM idempotency_keys' })
    const events = await window.db.readAll({ limit: 10_000 })
    const { workflowId } = await window.flowforge.workflows.create({})
    await window.flowforge.workflows.edit({
      workflowId,
      changes: [
        {
          type: 'add-node',
          node: { id: 'source', kind: 'source', name: 'Orders', spec: { dataSource: 'orders' } }
        },
        {
          type: 'add-node',
          node: { id: 'sink', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'orders.csv' } }
        },
        { type: 'add-edge', edge: { from: 'source', to: 'sink' } }
      ]
    })
    const { runId } = await window.flowforge.runs.start({ workflowId })
    return {
      total,
      purposes: [...new Set(requests.map(({ purpose }) => purpose))],
      text: JSON.stringify([requests, ledger, events]),
      end: await window.flowforge.runs.wait({ runId })
    }
  })
  expect(kept.total).toBe(service.seen.length)
  expect(kept.purposes).toEqual(['source'])
  expect(kept.text).not.toContain('hunter2')
  expect(kept.end).toEqual({ status: 'succeeded' })
  await browser.close()
})

test('a fetch is stopped by a button, by closing what it was for, and with its tab; half of it is kept nowhere', async () => {
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, '/data')
  /** The second page never comes. */
  const hanging: Behaviour = ({ url }) =>
    url.endsWith('page=1') ? { body: JSON.stringify([{ id: 1 }, { id: 2 }]) } : 'hang'
  const askedTwice = () => expect.poll(() => service.seen.filter(({ url }) => url.endsWith('page=2')).length)
  const kept = (from = page) =>
    from.evaluate(async () => {
      const count = async (sql: string) => Number((await window.db.queryProjection({ sql }))[0]?.['n'])
      return {
        sources: await count('SELECT count(*) AS n FROM data_sources'),
        files: await count(`SELECT count(*) AS n FROM blobs WHERE key LIKE 'sources/%'`),
        events: (await window.db.readAll({ aggregateType: 'datasource', limit: 100 })).length
      }
    })
  const nothing = { sources: 0, files: 0, events: 0 }
  const fill = async (in_: typeof page) => {
    await in_.getByRole('button', { name: 'From the web' }).click()
    const dialog = in_.getByRole('dialog')
    await dialog.getByLabel('Address').fill(`${service.url}/orders`)
    await dialog.getByLabel('Pages', { exact: true }).selectOption('page')
    await dialog.getByLabel('Parameter').fill('page')
    return dialog
  }
  service.behave(hanging)
  const dialog = await fill(page)
  await dialog.getByRole('button', { name: 'Fetch' }).click()
  await askedTwice().toBe(1)
  const stopped = Date.now()
  await dialog.getByRole('button', { name: 'Stop' }).click()
  await expect(dialog.getByRole('button', { name: 'Fetch' })).toBeEnabled()
  expect(Date.now() - stopped).toBeLessThan(1_000)
  await expect(dialog.getByRole('alert')).toHaveCount(0)
  expect(await kept()).toEqual(nothing)

  await dialog.getByRole('button', { name: 'Fetch' }).click()
  await askedTwice().toBe(2)
  await page.keyboard.press('Escape')
  await expect(dialog).toHaveCount(0)
  expect(await kept()).toEqual(nothing)

  // A name that stands for nothing is no error.
  await page.evaluate(() => window.flowforge.sources.cancelFetch({ fetchId: 'nobody’s' }))

  // A refresh that is stopped leaves what was there.
  service.behave(({ url }) => ({ body: JSON.stringify(url.endsWith('page=1') ? [{ id: 7 }] : []) }))
  await (await fill(page)).getByRole('button', { name: 'Fetch' }).click()
  await expect(page.getByRole('heading', { name: 'orders' })).toBeVisible({ timeout: 60_000 })
  const before = await kept()
  service.behave(hanging)
  const asked = service.seen.length
  await page.getByRole('button', { name: 'Refresh' }).click()
  await expect.poll(() => service.seen.length).toBe(asked + 2)
  await page.getByRole('button', { name: 'Stop refreshing' }).click()
  await expect(page.getByRole('button', { name: 'Refresh' })).toBeVisible({ timeout: 1_000 })
  expect(await kept()).toEqual(before)
  await page.getByRole('button', { name: 'Refresh' }).click()
  await expect.poll(() => service.seen.length).toBe(asked + 4)
  await browser.close()
  const { browser: again } = await openBrowser(profile)
  expect(await kept(await openApp(again, '/data'))).toEqual(before)
  await again.close()
})
