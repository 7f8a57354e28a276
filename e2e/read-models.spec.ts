import { AxeBuilder } from '@axe-core/playwright'
import { test, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser } from './app.ts'

const runExample = (page: Page): Promise<{ workflowId: string; runId: string }> =>
  page.evaluate(async () => {
    const { workflowId } = await window.flowforge.examples.open({ example: 'order-decisions' })
    const { runId } = await window.flowforge.runs.start({ workflowId })
    await window.flowforge.runs.wait({ runId })
    return { workflowId, runId }
  })

test('a person sees how read models stand, pauses and rebuilds them, and looks into the past', async ({
  baseURL
}) => {
  const profile = freshProfile()
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, String(baseURL))
  const { workflowId, runId } = await runExample(page)
  await page.goto(new URL('/workflows', String(baseURL)).href)
  await expect(page.getByRole('cell', { name: /^1 run, .+ median$/ })).toBeVisible()

  await page.goto(new URL('/settings', String(baseURL)).href)
  const section = page.getByRole('region', { name: 'Read models' })
  await expect(section.getByText('workflow-activity')).toBeVisible()
  const models = await page.evaluate(async () => (await window.flowforge.projections.list()).length)
  await expect(section.getByText('Up to date')).toHaveCount(models)
  await section.getByRole('button', { name: 'Pause workflow-activity' }).click()
  await expect(section.getByText('Paused')).toBeVisible()
  await page.evaluate(async (id) => {
    const { runId: second } = await window.flowforge.runs.start({ workflowId: id })
    await window.flowforge.runs.wait({ runId: second })
  }, workflowId)
  await expect(section.getByText('3 events behind')).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
  await section.getByRole('button', { name: 'Resume workflow-activity' }).click()
  await expect(section.getByText('Up to date')).toHaveCount(models)
  await page.goto(new URL('/workflows', String(baseURL)).href)
  await expect(page.getByRole('cell', { name: /^2 runs, / })).toBeVisible()

  const answer = await page.evaluate(async (first) => {
    const dump = () => window.db.queryProjection({ sql: 'SELECT * FROM runs ORDER BY id' })
    await window.db.upsertProjection({ table: 'runs', rows: [{ id: first, trigger: 'api' }] })
    const before = await dump()
    await window.flowforge.projections.rebuild()
    const [ended] = await window.db.readAll({ eventType: 'RunSucceeded', limit: 1 })
    const at = (position: number) =>
      window.flowforge.history.stateAt({
        position,
        sql: 'SELECT r.status, a.succeeded FROM runs r, workflow_activity a WHERE r.id = ?',
        params: [first]
      })
    const { logPosition, projections } = await window.flowforge.status()
    const position = ended?.position ?? 0
    const refused = await window.flowforge.history
      .stateAt({ position, sql: 'SELECT * FROM events' })
      .catch((error: { code: string }) => error.code)
    return {
      same: JSON.stringify(before) === JSON.stringify(await dump()),
      now: await at(logPosition + 5),
      isNow: logPosition,
      earlier: await at(position - 1),
      refused,
      states: projections.map(({ state, lag }) => `${state} ${lag}`)
    }
  }, runId)
  expect(answer).toMatchObject({
    same: true,
    now: { position: answer.isNow, rows: [{ status: 'succeeded', succeeded: 2 }], stopped: [] },
    earlier: { rows: [{ status: 'running', succeeded: 0 }] },
    refused: 'NOT_ALLOWED',
    states: Array<string>(models).fill('running 0')
  })
  await browser.close()
  profile.remove()
})
