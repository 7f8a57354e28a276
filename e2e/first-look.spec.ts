import { AxeBuilder } from '@axe-core/playwright'
import { test } from '@playwright/test'
import { dropFiles, expect, freshProfile, openApp, openBrowser, serveApp } from './app.ts'

const ORDERS = 'order;amount\nA-1;12,5\nA-2;abc\nA-3;1250,0\n'
const AMOUNT = `cast(replace("amount", ',', '.') AS double)`
const DOCUMENT = {
  format: 'flowforge.workflow/1',
  name: 'Orders',
  nodes: [
    { id: 'orders', kind: 'source', name: 'Orders', spec: { dataSource: 'orders.csv' } },
    {
      id: 'numbers',
      kind: 'transform',
      name: 'Numbers',
      spec: {
        steps: [
          { op: 'derive', columns: { number: AMOUNT } },
          { op: 'drop', columns: ['amount'] }
        ]
      }
    },
    {
      id: 'small',
      kind: 'rule',
      name: 'Small',
      spec: { rules: [{ name: 'Large', when: 'number > 1000', reject: '' }] }
    },
    { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'small.csv' } }
  ],
  edges: [
    { from: 'orders', fromPort: 'out', to: 'numbers', toPort: 'in' },
    { from: 'numbers', fromPort: 'out', to: 'small', toPort: 'in' },
    { from: 'small', fromPort: 'out', to: 'result', toPort: 'in' }
  ]
}

test('a value that no expression can take is explained in the preview, and a missing row beside the result', async () => {
  const profile = freshProfile()
  const server = await serveApp()
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, server.address)
  const workflowId = await page.evaluate(
    async ([text, document]) => {
      await window.flowforge.sources.importFile({ file: new File([text], 'orders.csv') })
      return (await window.flowforge.workflows.import(document)).workflowId
    },
    [ORDERS, DOCUMENT] as const
  )
  await page.goto(`${server.address}workflows/${encodeURIComponent(workflowId)}`)
  await page.getByText('Numbers', { exact: true }).last().click()
  const preview = page.getByRole('tabpanel', { name: 'Preview' })
  await expect(preview.getByText('a run lets them leave by “rejected”')).toBeVisible()
  await expect(preview.getByRole('alert')).toHaveCount(0)
  // An expression is seen whole, however many lines it takes.
  const field = page.getByLabel('Expression of number')
  expect(await field.evaluate(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)).toBe(0)

  await page.getByRole('button', { name: 'Run', exact: true }).click()
  const result = page.getByRole('tabpanel', { name: 'Result' })
  await expect(result).toContainText('1 row')
  const ask = async (order: string): Promise<void> => {
    await result.getByLabel('Column of a source or the result').fill('order')
    await result.getByLabel('Value (nothing: NULL)').fill(order)
    await page.keyboard.press('Enter')
  }
  await result.getByRole('button', { name: 'Why is a row missing?' }).click()
  expect(
    await result.locator('datalist option').evaluateAll((all) => all.map((one) => one.getAttribute('value')))
  ).toEqual(['order', 'amount', 'number'])
  await ask('A-2')
  await expect(result).toContainText('It was lost at Numbers.')
  await ask('A-3')
  await expect(result).toContainText('It was lost at Small.')
  await expect(result.getByText('Rejected by “Large”', { exact: true })).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
  // The answer is in sight on a phone, too.
  await result.getByRole('button', { name: 'Close the question' }).click()
  await page.setViewportSize({ width: 390, height: 844 })
  await page.keyboard.press('Escape')
  await page.getByRole('tab', { name: 'Result' }).click()
  await result.getByRole('button', { name: 'Why is a row missing?' }).click()
  await ask('A-2')
  await expect(result.getByText('It was lost at Numbers.')).toBeInViewport({ ratio: 1 })
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.getByRole('tab', { name: 'Logs' }).click()
  await expect(page.getByText("Could not convert string 'abc' to DOUBLE. Each is tried")).toBeVisible()
  await browser.close()
  await server.stop()
  profile.remove()
})

test('on a phone a note leaves the way to the other screens free', async () => {
  const profile = freshProfile()
  const server = await serveApp()
  const { browser } = await openBrowser(profile, { screen: { width: 390, height: 844 } })
  const page = await openApp(browser, server.address)
  await dropFiles(page, [{ name: 'empty.csv', type: '', base64: '' }])
  const note = page.getByRole('listitem').filter({ hasText: 'empty.csv could not be read' })
  await expect(note).toBeVisible()
  await page.screenshot({ path: test.info().outputPath('note.png') })
  await page.getByRole('link', { name: 'Runs' }).click({ timeout: 2_000 })
  await page.waitForURL(/\/runs/)
  await browser.close()
  await server.stop()
  profile.remove()
})
