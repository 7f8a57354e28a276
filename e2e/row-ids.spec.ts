import { AxeBuilder } from '@axe-core/playwright'
import { test } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, serveApp } from './app.ts'

/** Orders that nothing but their line tells apart. */
const ORDERS = ['item,amount', 'pen,2', 'ink,5', 'pen,2', 'pen,2'].join('\n')

const DOCUMENT = {
  format: 'flowforge.workflow/1',
  name: 'Large orders',
  parameters: { least: { type: 'number', default: 2 } },
  nodes: [
    { id: 'orders', kind: 'source', name: 'Orders', spec: { dataSource: 'orders.csv' } },
    {
      id: 'large',
      kind: 'transform',
      name: 'Large',
      spec: { steps: [{ op: 'filter', where: 'amount >= $least' }] }
    },
    { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'large.csv' } }
  ],
  edges: [
    { from: 'orders', to: 'large' },
    { from: 'large', to: 'result' }
  ]
}

for (const look of [
  { colorScheme: 'light', screen: { width: 1280, height: 800 } },
  { colorScheme: 'dark', screen: { width: 390, height: 844 } }
] as const) {
  test(`${look.colorScheme}, ${look.screen.width} wide: has a run keep which rows its rows came from, and is led to one of several that are equal`, async () => {
    const profile = freshProfile()
    const server = await serveApp()
    const { browser } = await openBrowser(profile, look)
    const page = await openApp(browser, server.address)
    const workflowId = await page.evaluate(
      async ([orders, document]) => {
        await window.flowforge.sources.importFile({ file: new File([orders], 'orders.csv') })
        return (await window.flowforge.workflows.import(document)).workflowId
      },
      [ORDERS, DOCUMENT] as const
    )
    await page.goto(`${server.address}workflows/${encodeURIComponent(workflowId)}`)

    await page.getByRole('button', { name: 'More ways to run' }).focus()
    await page.keyboard.press('Enter')
    const choice = page.getByRole('menuitemcheckbox', { name: 'Keep which rows each row came from' })
    await expect(choice).not.toBeChecked()
    await choice.focus()
    await page.keyboard.press('Enter')
    await expect(choice).toBeChecked()
    await page.screenshot({ path: test.info().outputPath('menu.png') })
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    const runId = async (): Promise<string> =>
      page.evaluate(async () => {
        const rows = await window.db.queryProjection({
          sql: `SELECT id FROM runs WHERE status = 'succeeded' ORDER BY created_at DESC LIMIT 1`
        })
        return String(rows[0]?.['id'] ?? '')
      })
    await expect.poll(runId, { timeout: 60_000 }).not.toBe('')

    await page.goto(`${server.address}runs/${encodeURIComponent(await runId())}`)
    await expect(page.getByText('kept beside its tables')).toBeVisible()
    const grid = page.getByRole('grid', { name: 'Rows of Result' })
    await expect(grid.getByRole('gridcell').first()).toBeVisible()
    await grid.focus()
    for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown', '?']) await page.keyboard.press(key)
    const why = page.getByRole('region', { name: 'Why this value?' })
    await expect(why.getByText(/Found by the row ids/)).toBeVisible({ timeout: 60_000 })
    const rows = why.getByRole('region', { name: 'Rows of Orders' })
    await expect(rows.getByRole('row').nth(1).getByRole('cell').first()).toHaveText('3')
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
    await page.screenshot({ path: test.info().outputPath('why.png') })

    await page.goto(`${server.address}settings`)
    await expect(page.getByRole('checkbox', { name: 'Keep which rows each row came from' })).toBeChecked()
    await page.goto(`${server.address}workflows/${encodeURIComponent(workflowId)}`)
    await page.getByRole('button', { name: 'More ways to run' }).click()
    await page.getByRole('menuitem', { name: 'Run with other values…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Run' })
    await expect(dialog.getByRole('checkbox', { name: 'Keep which rows each row came from' })).toBeChecked()
    await page.screenshot({ path: test.info().outputPath('dialog.png') })
    await browser.close()
    await server.stop()
    profile.remove()
  })
}
