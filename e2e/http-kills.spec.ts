import { expect, test, type BrowserContext, type Page } from '@playwright/test'
import {
  startTestService,
  type Behaviour,
  type TestService
} from '../src/worker/http/contract/test-service.ts'
import { freshProfile, openApp, openBrowser, type Profile } from './app.ts'

/** 2,000 orders of 300 people, in an order that has nothing to do with theirs. */
const PEOPLE = 300
const ORDERS = Array.from({ length: 2_000 }, (_, at) => ({
  order_id: at + 1,
  person: ((at * 7) % PEOPLE) + 1
}))
const ordersCsv = ['order_id,person', ...ORDERS.map(({ order_id, person }) => `${order_id},${person}`)].join(
  '\n'
)
const nameOf = (person: number): string => `Person ${person} of ${PEOPLE}`
const idOf = (url: string): number => Number(url.split('/').at(-1))

/** Slow; of the first requests 2 % end with 500, 1 % with 429, 1 % with a connection that breaks off. */
const tired: Behaviour = ({ url }, nth) => {
  const id = idOf(url)
  if (nth === 1 && id % 50 === 3) return { status: 500, afterMs: 10 }
  if (nth === 1 && id % 100 === 7) return { status: 429, headers: { 'retry-after': '1' } }
  if (nth === 1 && id % 100 === 11) return 'drop'
  return { body: JSON.stringify({ id, name: nameOf(id) }), afterMs: 20 + ((id * 13) % 40) }
}

const documentFor = (service: string) => ({
  format: 'flowforge.workflow/1',
  name: 'Orders with people',
  nodes: [
    { id: 'orders', kind: 'source', name: 'Orders', spec: { dataSource: 'orders.csv' } },
    {
      id: 'ask',
      kind: 'http',
      name: 'Ask people',
      spec: {
        request: { endpoint: service, method: 'GET', path: '/people/{{person}}' },
        per: 'distinct',
        key: ['person'],
        response: { columns: { name: '/name' } },
        concurrency: 4,
        retry: { times: 5, backoffMs: 10 }
      }
    },
    { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'orders.csv' } }
  ],
  edges: [
    { from: 'orders', to: 'ask' },
    { from: 'ask', to: 'result' }
  ]
})

/** Ways in which a page ends without a warning: its process dies, or its tab is closed. */
type Kill = (browser: BrowserContext, page: Page) => Promise<unknown>
const crash: Kill = async (browser, page) => {
  const session = await browser.newCDPSession(page)
  const crashed = page.waitForEvent('crash')
  // The process that would answer is the one that ends.
  session.send('Page.crash').catch(() => undefined)
  await crashed
}
const KILLS: readonly Kill[] = [crash, (_, page) => page.close(), crash]

let profile: Profile
let service: TestService
test.beforeEach(async () => {
  profile = freshProfile()
  service = await startTestService(tired)
})
test.afterEach(async () => {
  await service.close()
  profile.remove()
})

/** The people whose answer the ledger calls confirmed. */
const confirmed = (page: Page): Promise<number[]> =>
  page.evaluate(async () => {
    const sql = `SELECT DISTINCT q.request_json ->> '$.url' AS url FROM request_executions q
      JOIN idempotency_keys k ON k.key = q.request_json ->> '$.key' WHERE k.result_json ->> '$.state' = 'confirmed'`
    const rows = await window.db.queryProjection({ sql })
    return rows.map(({ url }) => Number(String(url).split('/').at(-1)))
  })

const statusOf = (page: Page, runId: string) =>
  page.evaluate(async (id) => {
    const [row] = await window.db.queryProjection({
      sql: 'SELECT status FROM runs WHERE id = ?',
      params: [id]
    })
    return row?.['status']
  }, runId)

test('a run that is killed on its way asks for nobody again whose answer is on record', async () => {
  const { browser } = await openBrowser(profile)
  let page = await openApp(browser, '/')
  const runId = await page.evaluate(
    async ([text, workflow]) => {
      const { sources, workflows, runs } = window.flowforge
      await sources.importFile({ file: new File([text], 'orders.csv', { type: 'text/csv' }) })
      const { workflowId } = await workflows.import(workflow)
      return (await runs.start({ workflowId })).runId
    },
    [ordersCsv, documentFor(service.url)] as const
  )

  const before: { readonly people: readonly number[]; readonly seen: number }[] = []
  for (const [at, kill] of KILLS.entries()) {
    const enough = ((at + 1) * PEOPLE) / (KILLS.length + 1)
    await expect
      .poll(() => service.served().size, { intervals: [5], timeout: 60_000 })
      .toBeGreaterThan(enough)
    const killed = page
    // The browser ends with its last tab.
    const next = await browser.newPage()
    await kill(browser, killed)
    if (!killed.isClosed()) await killed.close()
    page = await openApp(browser, '/', next)
    await expect.poll(() => statusOf(page, runId)).toBe('failed')
    const people = await confirmed(page)
    expect(people.length).toBeGreaterThan(0)
    expect(people.length).toBeLessThan(PEOPLE)
    before.push({ people, seen: service.seen.length })
    await page.evaluate((id) => window.flowforge.runs.resume({ runId: id }), runId)
  }
  const end = await page.evaluate((id) => window.flowforge.runs.wait({ runId: id }), runId)
  expect(end).toEqual({ status: 'succeeded' })

  // The service's own log: everybody was answered, and nobody asked for again who was on record at a kill.
  expect(service.served().size).toBe(PEOPLE)
  for (const { people, seen } of before) {
    const known = new Set(people)
    expect(service.seen.slice(seen).filter(({ url }) => known.has(idOf(url)))).toEqual([])
  }
  // Twice were answered only those that were under way at a kill, four at a time.
  const twice = [...service.served().values()].filter((times) => times > 1)
  expect(twice.every((times) => times <= 1 + KILLS.length)).toBe(true)
  expect(twice.length).toBeLessThanOrEqual(4 * KILLS.length)
  expect(await confirmed(page)).toHaveLength(PEOPLE)

  const rows = await page.evaluate(async (id) => {
    const sql = `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table' AND stats_json ->> '$.role' = 'result'`
    const [table] = await window.db.queryProjection({ sql, params: [id] })
    return (await window.flowforge.artifacts.read({ artifactId: String(table?.['id']), limit: 10_000 })).rows
  }, runId)
  expect(rows).toEqual(ORDERS.map((order) => ({ ...order, name: nameOf(order.person) })))
  await browser.close()
})
