import { AxeBuilder } from '@axe-core/playwright'
import { test } from '@playwright/test'
import { dropFiles, expect, freshProfile, openApp, openBrowser } from './app.ts'
import { nodeOf, openForm, pressRun, write } from './drawing.ts'

const drawing = {
  format: 'flowforge.workflow/1',
  name: 'Keep people',
  nodes: [
    { id: 'people', kind: 'source', name: 'People', spec: { dataSource: 'people.csv' } },
    { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'people.csv' } }
  ],
  edges: [{ from: 'people', to: 'result' }]
}

test('a sink is turned into a dataset, written twice, and looked at among the data', async ({ baseURL }) => {
  const profile = freshProfile()
  const { browser } = await openBrowser(profile, { screen: { width: 1280, height: 800 } })
  const page = await openApp(browser, String(baseURL))
  const bytes = Buffer.from('id,name\n1,Ann\n2,Bo\n')
  await dropFiles(page, [{ name: 'people.csv', type: 'text/csv', base64: bytes.toString('base64') }])
  await expect(page.getByText('people.csv is here').first()).toBeVisible()
  await page.evaluate((document) => window.flowforge.workflows.import(document), drawing)

  await page.getByRole('link', { name: 'Workflows', exact: true }).click()
  await page.getByRole('link', { name: 'Keep people' }).first().click()
  await expect(nodeOf(page, 'Result')).toBeVisible()
  const form = await openForm(page, 'Result')
  await form.getByLabel('Format', { exact: true }).selectOption('dataset')
  await write(form.getByLabel('Dataset', { exact: true }), 'known people')
  await form.getByLabel('What becomes of its rows').selectOption('append')
  await expect(page.getByRole('button', { name: '0 problems' })).toBeVisible()
  await page.screenshot({ path: 'test-results/datasets-form.png' })
  await pressRun(page)

  await page.getByRole('link', { name: 'Data', exact: true }).click()
  await page.getByRole('link', { name: /known people/ }).click()
  await expect(page.getByRole('heading', { name: 'known people' })).toBeVisible()
  await expect(page.getByText('Ann')).toBeVisible()
  // Without the toasts of what was done before.
  await page.reload()
  await expect(page.getByText('Ann')).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations).toEqual([])
  await page.screenshot({ path: 'test-results/datasets-data.png' })
  await page.evaluate(async () => {
    const [row] = await window.db.queryProjection({ sql: 'SELECT id FROM workflows' })
    const { runId } = await window.flowforge.runs.start({ workflowId: String(row?.['id']) })
    await window.flowforge.runs.wait({ runId })
  })
  // The page follows the new version by itself.
  await expect(page.getByRole('link', { name: /known people.*4 rows/ })).toBeVisible()
  await page.setViewportSize({ width: 390, height: 800 })
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.screenshot({ path: 'test-results/datasets-390.png' })
  await browser.close()
  profile.remove()
})
