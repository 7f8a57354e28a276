import { AxeBuilder } from '@axe-core/playwright'
import { test } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, serveApp } from './app.ts'

/** Both marks cut it into two columns; the quotes belong to inches. */
const SIZES = 'item;size,unit\n"pen";1,"cm"\n"ink";2,"cm"\n'

const DOCUMENT = {
  format: 'flowforge.workflow/1',
  name: 'Sizes',
  nodes: [{ id: 'sizes', kind: 'source', name: 'Sizes', spec: { dataSource: 'sizes.csv' } }],
  edges: []
}

for (const look of [
  { colorScheme: 'light', screen: { width: 1280, height: 900 } },
  { colorScheme: 'dark', screen: { width: 390, height: 844 } }
] as const) {
  test(`${look.colorScheme}, ${look.screen.width} wide: says how a CSV file is read where what was found is wrong`, async () => {
    const profile = freshProfile()
    const server = await serveApp()
    const { browser } = await openBrowser(profile, look)
    const page = await openApp(browser, server.address)
    const workflowId = await page.evaluate(
      async ([text, document]) => {
        await window.flowforge.sources.importFile({ file: new File([text], 'sizes.csv') })
        return (await window.flowforge.workflows.import(document)).workflowId
      },
      [SIZES, DOCUMENT] as const
    )
    await page.goto(`${server.address}workflows/${encodeURIComponent(workflowId)}`)
    await page.getByText('Sizes', { exact: true }).last().click()
    await page.getByText('How it is read').click()
    const field = (name: string) => page.getByLabel(name, { exact: true })
    const chosen = (name: string) => field(name).locator('option:checked')
    await expect(chosen('Delimiter')).toHaveText('As found: Semicolon')
    await expect(chosen('Cells are enclosed by')).toHaveText('As found: Double quote "')
    await expect(chosen('A quote inside a cell stands behind')).toHaveText(
      'As found: Another double quote ""'
    )
    await expect(chosen('Encoding')).toHaveText('As found: UTF-8')
    await expect(chosen('First line holds the names')).toHaveText('As found: Yes')
    await page.screenshot({ path: test.info().outputPath('found.png') })

    /** What the draft's node gives now. */
    const rows = () =>
      page.evaluate(async (id) => {
        const answer = await window.flowforge.workflows.preview({ workflowId: id, nodeId: 'sizes' })
        return 'rows' in answer ? answer.rows : answer
      }, workflowId)
    // With the keyboard alone: a list of choices takes the first letters.
    await field('Delimiter').focus()
    await page.keyboard.type('Comma')
    await expect(page.getByText(/text stands behind its closing quote/).first()).toBeVisible()
    await field('Cells are enclosed by').selectOption('Nothing')
    await expect(field('A quote inside a cell stands behind')).toBeHidden()
    await expect.poll(rows).toEqual([
      { 'item;size': '"pen";1', unit: '"cm"' },
      { 'item;size': '"ink";2', unit: '"cm"' }
    ])
    await page.screenshot({ path: test.info().outputPath('told.png') })
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])

    await page.getByRole('button', { name: 'Read it as found' }).click()
    await expect(chosen('Cells are enclosed by')).toHaveText('As found: Double quote "')
    await expect.poll(rows).toEqual([
      { item: 'pen', 'size,unit': '1,"cm"' },
      { item: 'ink', 'size,unit': '2,"cm"' }
    ])
    await browser.close()
    await server.stop()
    profile.remove()
  })
}
