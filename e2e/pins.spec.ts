import { AxeBuilder } from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import { startTestService, type TestService } from '../src/worker/http/contract/test-service.ts'
import { freshProfile, openApp, openBrowser, type Profile } from './app.ts'

let profile: Profile
let service: TestService
test.beforeEach(async () => {
  profile = freshProfile()
  service = await startTestService(({ url }) => ({ body: JSON.stringify({ name: `Person ${url}` }) }))
})
test.afterEach(async () => {
  await service.close()
  profile.remove()
})

const askSpec = (endpoint: string, path: string) => ({
  request: { endpoint, method: 'GET', path },
  per: 'distinct',
  key: ['person'],
  response: { columns: { name: '/name' } }
})

const openWorkflow = async (page: Page): Promise<string> => {
  const document = {
    format: 'flowforge.workflow/1',
    name: 'Orders with people',
    nodes: [
      { id: 'orders', kind: 'source', name: 'Orders', spec: { dataSource: 'orders.csv' } },
      { id: 'ask', kind: 'http', name: 'Ask people', spec: askSpec(service.url, '/old/{{person}}') },
      { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'orders.csv' } }
    ],
    edges: [
      { from: 'orders', to: 'ask' },
      { from: 'ask', to: 'result' }
    ]
  }
  const workflowId = await page.evaluate(async (workflow) => {
    const file = new File(['order,person\n1,7\n2,8\n3,7\n'], 'orders.csv', { type: 'text/csv' })
    await window.flowforge.sources.importFile({ file })
    return (await window.flowforge.workflows.import(workflow)).workflowId
  }, document)
  await page.goto(`/workflows/${workflowId}`)
  await page.waitForFunction(() => 'flowforge' in window)
  return workflowId
}

/** The names in the newest run's result, after it has ended well. */
const namesOfLastRun = (page: Page) =>
  page.evaluate(async () => {
    const sql = 'SELECT id FROM runs ORDER BY created_at DESC, rowid DESC LIMIT 1'
    const [run] = await window.db.queryProjection({ sql })
    const runId = String(run?.['id'])
    const { status, error } = await window.flowforge.runs.wait({ runId })
    const [table] = await window.db.queryProjection({
      sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/result'`,
      params: [runId]
    })
    if (table === undefined) throw new Error(`${status}: ${error?.message ?? 'no table'}`)
    const { rows } = await window.flowforge.artifacts.read({ artifactId: String(table['id']) })
    return { runId, names: rows.map(({ name }) => String(name)) }
  })
const runCount = (page: Page) =>
  page.evaluate(async () => {
    const sql = `SELECT count(*) AS n FROM runs WHERE status NOT IN ('queued', 'running')`
    return Number((await window.db.queryProjection({ sql }))[0]?.['n'])
  })
/** Presses Run and waits until one more run has ended. */
const pressRun = async (page: Page) => {
  const before = await runCount(page)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await expect.poll(() => runCount(page), { timeout: 20_000 }).toBe(before + 1)
  return namesOfLastRun(page)
}
const noFaults = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([])
}

const OLD = ['Person /old/7', 'Person /old/8', 'Person /old/7']
const NEW = ['Person /new/7', 'Person /new/8', 'Person /new/7']

test('pins what a service answered, works on without asking it, and publishes without pins', async () => {
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, '/')
  const workflowId = await openWorkflow(page)
  const node = page.locator('.vue-flow__node', { hasText: 'Ask people' })
  await node.click()
  await page.getByRole('button', { name: 'Run to here and pin' }).click()
  const pinned = page.getByRole('group', { name: 'Pinned rows' })
  await expect(pinned).toContainText('Pinned: 3 rows from the run', { timeout: 20_000 })
  await expect(node.getByTitle(/^Pinned: 3 rows/)).toBeVisible()
  const asked = service.seen.length
  expect(asked).toBe(2)
  await noFaults(page)
  await page.screenshot({ path: test.info().outputPath('pinned-light.png') })

  await page.evaluate(
    async ([id, spec]) => {
      await window.flowforge.workflows.edit({
        workflowId: id,
        changes: [{ type: 'set-spec', nodeId: 'ask', spec }]
      })
    },
    [workflowId, askSpec(service.url, '/new/{{person}}')] as const
  )
  await expect(pinned).toContainText('Pinned: 3 rows')
  const first = await pressRun(page)
  expect(first.names).toEqual(OLD)
  expect(service.seen).toHaveLength(asked)

  // By the keyboard alone: unpinned, pinned again by undo.
  await page.getByRole('button', { name: 'Unpin' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Unpin' })).toBeHidden()
  await expect(node.getByTitle(/^Pinned/)).toBeHidden()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(pinned).toContainText('Pinned: 3 rows')
  await page.getByRole('button', { name: 'Redo' }).click()
  await expect(pinned).not.toContainText('Pinned')
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect(pinned).toContainText('Pinned: 3 rows')

  await page.goto(`/runs/${first.runId}`)
  await expect(page.getByText('Rests on pinned rows of')).toBeVisible()
  await page.screenshot({ path: test.info().outputPath('run-page.png') })

  await page.goto(`/workflows/${workflowId}`)
  await page.getByRole('button', { name: 'Publish' }).click()
  await expect(page.getByText('1 pinned output is not part of it').first()).toBeVisible()
  expect((await pressRun(page)).names).toEqual(NEW)
  expect(service.seen).toHaveLength(asked + 2)
  await browser.close()
})

test('is pinned on a narrow dark screen, in the list', async () => {
  const { browser } = await openBrowser(profile, {
    screen: { width: 390, height: 844 },
    colorScheme: 'dark'
  })
  const page = await openApp(browser, '/')
  await openWorkflow(page)
  const entry = page.getByRole('button', { name: /^Ask people/ })
  await entry.click()
  await page.getByRole('button', { name: 'Run to here and pin' }).click()
  await expect(page.getByRole('group', { name: 'Pinned rows' })).toContainText('Pinned: 3 rows', {
    timeout: 20_000
  })
  await noFaults(page)
  await page.screenshot({ path: test.info().outputPath('pinned-narrow.png') })
  await page.getByRole('button', { name: 'Close' }).last().click()
  await expect(entry.getByTitle(/^Pinned/)).toBeVisible()
  await page.screenshot({ path: test.info().outputPath('list-narrow.png') })
  await browser.close()
})
