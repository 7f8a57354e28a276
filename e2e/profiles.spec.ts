import { AxeBuilder } from '@axe-core/playwright'
import { test, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, serveApp } from './app.ts'
import { delaysDocument } from './delays.ts'
import { dropBoth, nodeOf } from './drawing.ts'

/** Nothing grave for axe, what it says of anything else aside. */
const expectAccessible = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
}

for (const look of [
  { colorScheme: 'light', screen: { width: 1280, height: 800 } },
  { colorScheme: 'dark', screen: { width: 390, height: 844 } }
] as const) {
  test(`${look.colorScheme}, ${look.screen.width} wide: shows what stands in a source and in a result`, async () => {
    test.setTimeout(240_000)
    const profile = freshProfile()
    const server = await serveApp()
    const { browser } = await openBrowser(profile, look)
    const page = await openApp(browser, server.address)
    await dropBoth(page)
    const { workflowId, runId, sourceId } = await page.evaluate(async (document) => {
      const imported = await window.flowforge.workflows.import(document)
      const started = await window.flowforge.runs.start({ workflowId: imported.workflowId })
      await window.flowforge.runs.wait(started)
      const [source] = await window.db.queryProjection({
        sql: `SELECT id FROM data_sources WHERE name = 'flights-2k.json'`
      })
      return { ...imported, ...started, sourceId: String(source?.['id']) }
    }, delaysDocument)

    await page.goto(`${server.address}data/${encodeURIComponent(sourceId)}`)
    await page.getByRole('tab', { name: 'Columns' }).focus()
    await page.keyboard.press('ArrowRight')
    const source = page.getByRole('region', { name: 'Profile of flights-2k.json' })
    const delay = source.getByRole('row', { name: /^delay/ })
    await expect(delay).toContainText('integer', { timeout: 60_000 })
    await expect(delay.getByRole('img', { name: /^Spread of delay: 2,000 values in 20 bars/ })).toBeAttached()
    await expect(source.getByRole('columnheader', { name: '50%' })).toBeAttached()
    await source.focus()
    await page.keyboard.press('End')
    await expectAccessible(page)
    await page.screenshot({ path: test.info().outputPath('source.png') })

    await page.goto(`${server.address}runs/${encodeURIComponent(runId)}`)
    await page.getByRole('button', { name: 'Profile' }).focus()
    await page.keyboard.press('Enter')
    const result = page.getByRole('region', { name: 'Profile of Result' })
    await expect(result.getByRole('rowheader', { name: 'mean_delay' })).toBeVisible({ timeout: 60_000 })
    await expectAccessible(page)
    await page.screenshot({ path: test.info().outputPath('result.png') })

    if (look.screen.width > 1000) {
      await page.goto(`${server.address}workflows/${encodeURIComponent(workflowId)}`)
      await page.getByRole('tab', { name: 'Preview' }).focus()
      await page.keyboard.press('ArrowRight')
      await expect(page.getByRole('tab', { name: 'Profile' })).toBeFocused()
      await expect(page.getByRole('region', { name: 'Profile of the result' })).toContainText('mean_delay')
      await nodeOf(page, 'Flights').click()
      await expect(page.getByRole('region', { name: 'Profile of Flights' })).toContainText('destination')
      await expectAccessible(page)
      await page.screenshot({ path: test.info().outputPath('editor.png') })

      const why = page.getByRole('region', { name: 'Why this value?' })
      const ask = async (grid: string): Promise<void> => {
        const rows = page.getByRole('grid', { name: grid })
        await expect(rows.getByRole('gridcell').first()).toBeVisible({ timeout: 60_000 })
        await rows.focus()
        await page.keyboard.press('ArrowRight')
        await page.keyboard.press('?')
        await expect(why.getByText('flights-2k.json')).toBeAttached({ timeout: 60_000 })
      }
      await page.getByRole('tab', { name: 'Result' }).click()
      await ask('Rows of delays-by-state.csv')
      await expectAccessible(page)
      await page.screenshot({ path: test.info().outputPath('why-result.png') })
    }
    await browser.close()
    await server.stop()
    profile.remove()
  })
}
