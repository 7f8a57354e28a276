import { AxeBuilder } from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import {
  startTestService,
  type Behaviour,
  type TestService
} from '../src/worker/http/contract/test-service.ts'
import { foreign, freshProfile, openApp, openBrowser, type Profile } from './app.ts'

const person: Behaviour = ({ url }) => {
  const id = Number(url.split('/').at(-1))
  return {
    body: JSON.stringify({ id, name: `Person ${id}`, big: 9007199254740993n.toString(), tags: ['a', 'b'] })
  }
}

/** 60 orders of 20 people. */
const orders = [
  'order_id,person',
  ...Array.from({ length: 60 }, (_, at) => `${at + 1},${(at % 20) + 1}`)
].join('\n')

const documentFor = (service: string, http: Record<string, unknown> = {}) => ({
  format: 'flowforge.workflow/1',
  name: 'Orders with people',
  nodes: [
    { id: 'orders', kind: 'source', name: 'Orders', spec: { dataSource: 'orders.csv' } },
    {
      id: 'ask',
      kind: 'http',
      name: 'Ask people',
      spec: {
        request: {
          endpoint: service,
          method: 'GET',
          path: '/people/{{person}}?token=hunter2',
          headers: { Authorization: 'Bearer hunter2', 'X-Person': '{{person}}' }
        },
        per: 'distinct',
        key: ['person'],
        response: { columns: { name: '/name', person_id: '/id' }, types: { person_id: 'integer' } },
        retry: { times: 3, backoffMs: 10 },
        ...http
      }
    },
    { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'orders.csv' } }
  ],
  edges: [
    { from: 'orders', to: 'ask' },
    { from: 'ask', to: 'result' }
  ]
})

let profile: Profile
let service: TestService
test.beforeEach(() => {
  profile = freshProfile()
})
test.afterEach(async () => {
  await service.close()
  profile.remove()
})

const importBoth = (page: Page, document: unknown) =>
  page.evaluate(
    async ([text, workflow]) => {
      await window.flowforge.sources.importFile({
        file: new File([text], 'orders.csv', { type: 'text/csv' })
      })
      return (await window.flowforge.workflows.import(workflow)).workflowId
    },
    [orders, document] as const
  )
const run = (page: Page, workflowId: string, more: { replayOf?: string } = {}) =>
  page.evaluate(
    async ([id, rest]) => {
      const { runId } = await window.flowforge.runs.start({ workflowId: id, ...rest })
      return { runId, ...(await window.flowforge.runs.wait({ runId })) }
    },
    [workflowId, more] as const
  )
const hashes = (page: Page, runId: string) =>
  page.evaluate(
    (id) =>
      window.db.queryProjection({
        sql: `SELECT node_id, kind, sha256 FROM artifacts WHERE run_id = ? AND stats_json ->> '$.role' = 'result' ORDER BY kind, node_id`,
        params: [id]
      }),
    runId
  )

test('asks a service for each person once, keeps it on record, and does it again without a network', async () => {
  service = await startTestService((seen, nth) => {
    const id = Number(seen.url.split(/[/?]/)[2])
    if (nth === 1 && id % 7 === 0) return { status: 500 }
    if (nth === 1 && id % 7 === 1) return 'drop'
    if (nth === 1 && id % 7 === 2) return { status: 429, headers: { 'retry-after': '0' } }
    return person({ ...seen, url: seen.url.split('?')[0] ?? '' }, nth)
  })
  const { browser, requests } = await openBrowser(profile)
  const page = await openApp(browser, '/')
  const workflowId = await importBoth(page, documentFor(service.url))

  const asking = page.evaluate(
    (id) => window.flowforge.workflows.preview({ workflowId: id, nodeId: 'ask' }),
    workflowId
  )
  await expect(asking).rejects.toThrow(/A preview sends no request/)
  expect(service.seen).toEqual([])

  const first = await run(page, workflowId)
  expect(first).toMatchObject({ status: 'succeeded' })
  expect(service.served().size).toBe(20)
  expect([...service.served().values()].every((times) => times === 1)).toBe(true)
  expect(service.seen[0]?.headers).toMatchObject({ authorization: 'Bearer hunter2' })
  const rows = await page.evaluate(async (runId) => {
    const sql = `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table'`
    const [table] = await window.db.queryProjection({ sql, params: [runId] })
    return (await window.flowforge.artifacts.read({ artifactId: String(table?.['id']) })).rows
  }, first.runId)
  expect(rows).toHaveLength(60)
  expect(rows[20]).toEqual({ order_id: 21, person: 1, name: 'Person 1', person_id: 1 })

  const kept = await page.evaluate(async (runId) => {
    const { requests: list, total } = await window.flowforge.requests.list({ runId })
    const read = await window.flowforge.requests.read({ requestId: list[0]?.requestId ?? '' })
    const har = await (await window.flowforge.requests.har({ runId })).text()
    const raw = await window.db.queryProjection({ sql: 'SELECT * FROM request_executions' })
    const events = await window.db.readAll({ limit: 10_000 })
    return {
      total,
      read,
      har,
      raw: JSON.stringify(raw),
      events: JSON.stringify(events.filter((e) => e.aggregateType === 'run'))
    }
  }, first.runId)
  // A browser itself sends again what a kept connection dropped before an answer began: the service may see more.
  expect(kept.total).toBeGreaterThanOrEqual(22)
  expect(kept.total).toBeLessThanOrEqual(service.seen.length)
  expect(kept.read.curl).toContain('curl --globoff')
  expect(kept.read.answer?.text).toContain('Person')
  expect((JSON.parse(kept.har) as { log: { entries: unknown[] } }).log.entries).toHaveLength(kept.total)
  for (const text of [kept.raw, kept.har, kept.read.curl]) expect(text).not.toContain('hunter2')
  // Row data never stands in an event.
  expect(kept.events).not.toContain('Person 1')
  expect(kept.events).not.toContain('/people/1')

  const shown = await page.evaluate(
    (id) => window.flowforge.workflows.preview({ workflowId: id, nodeId: 'ask' }),
    workflowId
  )
  expect(shown.rows[0]).toMatchObject({ name: 'Person 1' })

  const before = service.seen.length
  await service.close()
  const again = await run(page, workflowId, { replayOf: first.runId })
  expect(again).toMatchObject({ status: 'succeeded' })
  expect(service.seen).toHaveLength(before)
  const [of, as] = [await hashes(page, first.runId), await hashes(page, again.runId)]
  expect(of.length).toBeGreaterThan(0)
  expect(as.map(({ sha256 }) => sha256)).toEqual(of.map(({ sha256 }) => sha256))

  // Nothing else ever left the machine.
  const origin = new URL(page.url()).origin
  expect(foreign(requests, origin).filter((url) => !url.startsWith(service.url))).toEqual([])
  await browser.close()
})

test('rejects with the reason, explodes lists and reads CSV', async () => {
  service = await startTestService(({ url }) => {
    const id = Number(url.split(/[/?]/)[2])
    if (id === 3) return { status: 404 }
    if (id === 4) return { headers: { 'content-type': 'text/csv' }, body: 'tag\nx\ny\n' }
    if (id === 5) return { body: '{"tag":' }
    return { headers: { 'content-type': 'text/csv' }, body: `tag\nt${id}\n` }
  })
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, '/')
  const document = documentFor(service.url, { response: { columns: { tag: '/tag' } }, onError: 'reject' })
  const workflowId = await importBoth(page, {
    ...document,
    nodes: [
      ...document.nodes,
      { id: 'gone', kind: 'sink', name: 'Gone', spec: { format: 'json', fileName: 'gone.json' } }
    ],
    edges: [...document.edges, { from: 'ask', fromPort: 'rejected', to: 'gone' }]
  })
  const { runId, status, error } = await run(page, workflowId)
  expect({ status, error }).toEqual({ status: 'succeeded', error: undefined })
  const tables = await page.evaluate(async (id) => {
    const sql = `SELECT id, node_id FROM artifacts WHERE run_id = ? AND kind = 'table'`
    const found = await window.db.queryProjection({ sql, params: [id] })
    const read = found.map(async (row) => [
      String(row['node_id']).split('/').at(-1),
      (await window.flowforge.artifacts.read({ artifactId: String(row['id']) })).rows
    ])
    return Object.fromEntries(await Promise.all(read)) as Record<string, Record<string, unknown>[]>
  }, runId)
  expect(tables['result']).toHaveLength(57)
  expect(tables['result']?.filter(({ person: id }) => id === 4).map(({ tag }) => tag)).toEqual([
    'x',
    'y',
    'x',
    'y',
    'x',
    'y'
  ])
  expect(tables['gone']).toHaveLength(6)
  expect(tables['gone']?.[0]).toMatchObject({ person: 3, _status: 404 })
  expect(String(tables['gone']?.[1]?.['_reason'])).toContain('not valid JSON')
  await browser.close()
})

test('says that a service does not let this page read it', async () => {
  service = await startTestService(person, { cors: false })
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, '/')
  const workflowId = await importBoth(page, documentFor(service.url, { retry: { times: 0, backoffMs: 1 } }))
  const { status, error } = await run(page, workflowId)
  expect(status).toBe('failed')
  expect(error?.nodeId).toBe('ask')
  expect(error?.message).toContain('CORS')
  expect(error?.message).not.toContain('hunter2')
  await browser.close()
})

test('shows the requests of a run, and the form of the node that asks', async () => {
  service = await startTestService(person)
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, '/')
  const workflowId = await importBoth(page, documentFor(service.url))
  const { runId } = await run(page, workflowId)
  await page.goto(`/runs/${encodeURIComponent(runId)}`)
  await page.getByRole('tab', { name: 'Requests' }).click()
  const list = page.getByRole('list', { name: 'Requests' })
  await expect(list.getByRole('listitem')).toHaveCount(20)
  await list.getByRole('button').first().click()
  await expect(page.getByRole('button', { name: 'Copy as curl' })).toBeVisible()
  await expect(list).toContainText('"name":"Person')
  await expect(list).not.toContainText('hunter2')
  await page.screenshot({ path: 'test-results/requests.png' })
  expect(
    (await new AxeBuilder({ page }).analyze()).violations.map(({ id, nodes }) => [id, nodes[0]?.html])
  ).toEqual([])

  await page.goto(`/workflows/${encodeURIComponent(workflowId)}`)
  await page.getByText('Ask people').first().click()
  await expect(page.getByRole('textbox', { name: 'Service' })).toHaveValue(service.url)
  await page.getByRole('spinbutton', { name: 'At a time' }).fill('9')
  await expect
    .poll(() =>
      page.evaluate(async (id) => {
        const { graph } = await window.flowforge.workflows.get({ workflowId: id })
        return graph.nodes.find((node) => node.id === 'ask')?.spec['concurrency']
      }, workflowId)
    )
    .toBe(9)
  await page.screenshot({ path: 'test-results/http-form.png' })
  await browser.close()
})

test('a retry asks only for what was not answered, and a run is replayed from its page', async () => {
  service = await startTestService((seen, nth) =>
    seen.url.includes('/5?') && nth === 1
      ? { status: 404 }
      : person({ ...seen, url: seen.url.split('?')[0] ?? '' }, nth)
  )
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, '/')
  const workflowId = await importBoth(page, documentFor(service.url, { concurrency: 1 }))
  const first = await run(page, workflowId)
  expect(first.status).toBe('failed')
  const second = await page.evaluate(async (runId) => {
    const retried = await window.flowforge.runs.retry({ runId })
    return { ...retried, ...(await window.flowforge.runs.wait(retried)) }
  }, first.runId)
  expect(second.status).toBe('succeeded')
  expect(service.served().size).toBe(20)
  expect([...service.served().values()].every((times) => times === 1)).toBe(true)

  const seen = service.seen.length
  await page.goto(`/runs/${encodeURIComponent(second.runId)}`)
  await page.getByRole('button', { name: 'Run again' }).click()
  await page.getByRole('menuitem', { name: 'Replay without network' }).click()
  await expect(page).not.toHaveURL(new RegExp(encodeURIComponent(second.runId)))
  const replayed = decodeURIComponent(page.url().split('/').at(-1) ?? '')
  expect(await page.evaluate((runId) => window.flowforge.runs.wait({ runId }), replayed)).toEqual({
    status: 'succeeded'
  })
  expect(service.seen).toHaveLength(seen)
  expect(await hashes(page, replayed)).toEqual(await hashes(page, second.runId))
  await browser.close()
})
