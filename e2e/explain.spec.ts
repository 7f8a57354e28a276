import { AxeBuilder } from '@axe-core/playwright'
import { test, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, serveApp } from './app.ts'
import { delaysDocument } from './delays.ts'
import { dropBoth } from './drawing.ts'

/** Nothing grave for axe, what it says of anything else aside. */
const expectAccessible = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(grave.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
}

const runDelays = (page: Page) =>
  page.evaluate(async (document) => {
    const { workflowId } = await window.flowforge.workflows.import(document)
    const { runId } = await window.flowforge.runs.start({ workflowId })
    await window.flowforge.runs.wait({ runId })
    return runId
  }, delaysDocument)

for (const look of [
  { colorScheme: 'light', screen: { width: 1280, height: 800 } },
  { colorScheme: 'dark', screen: { width: 390, height: 844 } }
] as const) {
  test(`${look.colorScheme}, ${look.screen.width} wide: asks why a value is so, why a row is missing, and where columns come from`, async () => {
    test.setTimeout(240_000)
    const profile = freshProfile()
    const server = await serveApp()
    const { browser } = await openBrowser(profile, look)
    const page = await openApp(browser, server.address)
    await dropBoth(page)
    const runId = await runDelays(page)
    await page.goto(`${server.address}runs/${encodeURIComponent(runId)}`)

    const grid = page.getByRole('grid', { name: 'Rows of Result' })
    await expect(grid.getByRole('gridcell').first()).toBeVisible()
    await grid.focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('?')
    const why = page.getByRole('region', { name: 'Why this value?' })
    await expect(why.getByRole('heading', { name: /flights, row 1/ })).toBeVisible()
    await expect(why.getByText('flights = count(*)')).toBeVisible({ timeout: 60_000 })
    await expect(why.getByText('where delay >= $minDelay')).toBeVisible()
    await expect(why.getByText('flights-2k.json')).toBeVisible()
    await expectAccessible(page)
    await page.screenshot({ path: test.info().outputPath('why.png') })
    await why.getByRole('button', { name: 'Close the explanation' }).click()
    await expect(why).toBeHidden()

    await page.getByRole('button', { name: 'Why is a row missing?' }).click()
    const missing = page.getByRole('region', { name: 'Why is a row missing?' })
    await missing.getByLabel('Column of a source or the result').fill('iata')
    await missing.getByLabel('Value (nothing: NULL)').fill('00M')
    await missing.getByRole('button', { name: 'Find out' }).click()
    await expect(missing.getByText('It was lost at With airport.')).toBeVisible({ timeout: 60_000 })
    await expect(missing.getByText('where origin = iata')).toBeVisible()
    await expectAccessible(page)
    await page.screenshot({ path: test.info().outputPath('missing.png') })

    await page.getByRole('tab', { name: 'Lineage' }).click()
    const isWide = look.screen.width >= 768
    if (isWide) {
      const drawing = page.getByRole('region', { name: 'Drawing of the lineage' })
      await drawing.getByRole('button', { name: /columns of Result/ }).press('Enter')
      const columns = (name: string) => drawing.getByRole('list', { name: `Columns of ${name}` })
      await columns('Result').getByRole('button', { name: 'mean_delay' }).press('Enter')
      await expect(columns('Flights').getByRole('button', { name: 'delay value' })).toBeVisible()
      await expect(columns('Flights').getByRole('button', { name: 'origin decides' })).toBeVisible()
      await expect(columns('Airports').getByRole('button', { name: 'iata decides' })).toBeVisible()
      await page.screenshot({ path: test.info().outputPath('drawing.png') })
      await expectAccessible(page)
      await page.getByRole('tab', { name: 'List' }).click()
    }
    await page.getByRole('button', { name: 'mean_delay' }).click()
    await expect(page.getByText('of flights-2k.json, aggregated')).toBeVisible()
    await expect(page.getByText('of airports.csv, groups rows')).toBeVisible()
    await expectAccessible(page)
    await page.screenshot({ path: test.info().outputPath('lineage.png') })
    const saving = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save as OpenLineage' }).click()
    expect((await saving).suggestedFilename()).toBe('lineage.ndjson')

    await browser.close()
    await server.stop()
    profile.remove()
  })
}
