import { AxeBuilder } from '@axe-core/playwright'
import { test, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser } from './app.ts'
import { statusOf } from './endless-run.ts'

/** Large enough for a join of every row with every row to be cut off in its middle, small enough for it to end. */
const ROWS = 16_000

/** A quick result, then a slow one: the sinks are written in this order. */
const startSlow = (page: Page): Promise<string> =>
  page.evaluate(async (rows) => {
    const lines = Array.from({ length: rows }, (_, index) => `${index},${index % 7}`)
    const file = new File([`a,b\n${lines.join('\n')}\n`], 'numbers.csv', { type: 'text/csv' })
    await window.flowforge.sources.importFile({ file })
    const spec = { dataSource: 'numbers.csv' }
    const totals = { op: 'aggregate', groupBy: ['b'], columns: { total: 'sum(a * a_right)' } }
    const { workflowId } = await window.flowforge.workflows.import({
      format: 'flowforge.workflow/1',
      name: 'Quick and slow',
      nodes: [
        { id: 'left', kind: 'source', name: 'Left', spec },
        { id: 'right', kind: 'source', name: 'Right', spec },
        { id: 'quick', kind: 'sink', name: 'Quick', spec: { format: 'csv', fileName: 'quick.csv' } },
        {
          id: 'pairs',
          kind: 'join',
          name: 'Pairs',
          spec: { type: 'inner', onExpression: 'b + b_right > -1' }
        },
        { id: 'sum', kind: 'transform', name: 'Sum', spec: { steps: [totals] } },
        { id: 'slow', kind: 'sink', name: 'Slow', spec: { format: 'csv', fileName: 'slow.csv' } }
      ],
      edges: [
        { from: 'left', to: 'quick' },
        { from: 'left', to: 'pairs', toPort: 'left' },
        { from: 'right', to: 'pairs', toPort: 'right' },
        { from: 'pairs', to: 'sum' },
        { from: 'sum', to: 'slow' }
      ]
    })
    const { runId } = await window.flowforge.runs.start({ workflowId })
    return runId
  }, ROWS)

const stepStatus = (page: Page, runId: string) =>
  page.evaluate(async (id) => {
    const rows = await window.db.queryProjection({
      sql: `SELECT stats_json ->> '$.name' AS name, status FROM run_steps WHERE run_id = ?`,
      params: [id]
    })
    return Object.fromEntries(rows.map((row) => [String(row['name']), String(row['status'])]))
  }, runId)

const rowsOf = (page: Page, runId: string, node: string) =>
  page.evaluate(
    async ([id, name]) => {
      const [row] = await window.db.queryProjection({
        sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/' || ?`,
        params: [id, name]
      })
      const { rows } = await window.flowforge.artifacts.read({ artifactId: String(row?.['id']) })
      return rows.map(({ b, total }) => [Number(b), Number(total)])
    },
    [runId, node] as const
  )

const expectedTotals = (): number[][] => {
  const all = (ROWS * (ROWS - 1)) / 2
  return Array.from({ length: 7 }, (_, b) => {
    let own = 0
    for (let a = b; a < ROWS; a += 7) own += a
    return [b, own * all]
  })
}

test('a run that the browser’s end cut off goes on from its last finished step', async ({ baseURL }) => {
  test.setTimeout(300_000)
  const profile = freshProfile()
  const first = await openBrowser(profile)
  const page = await openApp(first.browser, String(baseURL))
  const runId = await startSlow(page)
  await expect
    .poll(() => stepStatus(page, runId), { timeout: 60_000 })
    .toMatchObject({ Quick: 'succeeded', Slow: 'running' })
  await first.browser.close()

  const second = await openBrowser(profile)
  const again = await openApp(second.browser, String(baseURL))
  expect((await statusOf(again, runId)).status).toBe('failed')
  await again.goto(`${String(baseURL)}/runs/${runId}`)
  await again.getByRole('button', { name: 'Resume' }).click()
  await expect.poll(async () => (await statusOf(again, runId)).status, { timeout: 200_000 }).toBe('succeeded')
  expect((await rowsOf(again, runId, 'slow')).toSorted(([a = 0], [b = 0]) => a - b)).toEqual(expectedTotals())
  const counts = await again.evaluate(async (id) => {
    const events = await window.db.loadEvents({ aggregateId: id })
    const started = (name: string) =>
      events.filter(({ eventType, payload }) => eventType === 'RunStepStarted' && payload['name'] === name)
        .length
    return {
      quick: started('Quick'),
      slow: started('Slow'),
      resumed: events.filter(({ eventType }) => eventType === 'RunResumed').length
    }
  }, runId)
  expect(counts).toEqual({ quick: 1, slow: 2, resumed: 1 })
  await second.browser.close()
  profile.remove()
})

test('a run is repeated and found the same, and a planted difference is found', async ({ baseURL }) => {
  test.setTimeout(300_000)
  const profile = freshProfile()
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, String(baseURL))
  const { runId, otherId } = await page.evaluate(async () => {
    const file = new File(['k,v\na,1\nb,2\na,3\n'], 'in.csv', { type: 'text/csv' })
    await window.flowforge.sources.importFile({ file })
    const totals = { op: 'aggregate', groupBy: ['k'], columns: { total: 'sum(v * $by)' } }
    const { workflowId } = await window.flowforge.workflows.import({
      format: 'flowforge.workflow/1',
      name: 'Totals',
      parameters: { by: { type: 'number', default: 1 } },
      nodes: [
        { id: 'in', kind: 'source', name: 'In', spec: { dataSource: 'in.csv' } },
        { id: 'sum', kind: 'transform', name: 'Sum', spec: { steps: [totals] } },
        { id: 'out', kind: 'sink', name: 'Totals', spec: { format: 'csv', fileName: 'totals.csv' } }
      ],
      edges: [
        { from: 'in', to: 'sum' },
        { from: 'sum', to: 'out' }
      ]
    })
    const run = async (by: number) => {
      const started = await window.flowforge.runs.start({ workflowId, parameters: { by } })
      await window.flowforge.runs.wait(started)
      return started.runId
    }
    return { runId: await run(1), otherId: await run(2) }
  })
  const verify = async (): Promise<void> => {
    await page.goto(`${String(baseURL)}/runs/${runId}`)
    await page.getByRole('button', { name: 'Re-run and verify' }).click()
  }
  await verify()
  await expect(page.getByText('The same came out', { exact: true })).toBeVisible({ timeout: 60_000 })
  await expect(page.getByText('2 of 2 results are equal')).toBeVisible()

  // The stored result of the first run becomes another one, as if its rows had been others.
  await page.evaluate(
    async ([to, from]) => {
      const [planted] = await window.db.queryProjection({
        sql: `SELECT uri, sha256, stats_json FROM artifacts WHERE run_id = ? AND kind = 'table'`,
        params: [from]
      })
      const [row] = await window.db.queryProjection({
        sql: `SELECT * FROM artifacts WHERE run_id = ? AND kind = 'table'`,
        params: [to]
      })
      await window.db.upsertProjection({ table: 'artifacts', rows: [{ ...row, ...planted }] })
    },
    [runId, otherId] as const
  )
  await verify()
  await expect(page.getByText('Something else came out', { exact: true })).toBeVisible({ timeout: 60_000 })
  await expect(
    page.getByText('The first difference is at Totals, row 1, column total.').first()
  ).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(
    violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])
  ).toEqual([])
  await page.screenshot({ path: 'test-results/verification.png' })
  await browser.close()
  profile.remove()
})
