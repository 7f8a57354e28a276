import { test } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, serveApp } from './app.ts'

const DOCUMENT = {
  format: 'flowforge.workflow/1',
  name: 'Picks',
  nodes: [
    { id: 'in', kind: 'source', name: 'In', spec: { dataSource: 'places.csv' } },
    { id: 'shape', kind: 'transform', name: 'Shape', spec: { steps: [] } }
  ],
  edges: [{ from: 'in', fromPort: 'out', to: 'shape', toPort: 'in' }]
}

test('letters and arrows on a list of steps or columns only lead to a choice; Enter takes it', async () => {
  const profile = freshProfile()
  const server = await serveApp()
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, server.address)
  const workflowId = await page.evaluate(async (document) => {
    const file = new File(['state,street,size\na,b,1\n'], 'places.csv')
    await window.flowforge.sources.importFile({ file })
    return (await window.flowforge.workflows.import(document)).workflowId
  }, DOCUMENT)
  await page.goto(`${server.address}workflows/${encodeURIComponent(workflowId)}`)
  await page.getByText('Shape', { exact: true }).last().click()
  const steps = page.getByRole('list', { name: 'Steps' }).getByRole('listitem', { name: /^Step/ })

  await page.getByLabel('Add step').focus()
  await page.keyboard.type('Sel')
  await expect(page.getByText('Press Enter to add it.')).toBeVisible()
  await expect(steps).toHaveCount(0)
  await page.keyboard.press('Enter')
  await expect(steps).toHaveCount(1)
  await expect(steps.first()).toHaveAccessibleName('Step 1: Select')
  await expect(page.getByText('Press Enter to add it.')).toBeHidden()

  const columns = steps.first().getByRole('combobox', { name: 'Columns' })
  const chosen = steps.first().getByRole('list', { name: 'Chosen columns' }).getByRole('listitem')
  await columns.focus()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await expect(chosen).toHaveCount(0)
  await page.keyboard.press('Enter')
  await expect(chosen).toHaveText(['street'])
  // Whoever leaves the list takes nothing.
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Tab')
  await expect(columns).toHaveValue('')
  await expect(chosen).toHaveText(['street'])
  // What is picked with a mouse is taken at once.
  await columns.selectOption('size')
  await expect(chosen).toHaveText(['street', 'size'])
  await browser.close()
  await server.stop()
  profile.remove()
})
