import { test } from '@playwright/test'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, foreign, freshProfile, openApp, openBrowser, serveApp } from './app.ts'
import {
  canvasOf,
  draw,
  dropBoth,
  expectDelays,
  expectGrid,
  fillForms,
  nodeOf,
  pressRun,
  resultOf,
  runIds
} from './drawing.ts'

/** The app with one import of `src/db/index.ts` changed: everything else is what everybody gets. */
test.describe('the app over DuckDB', () => {
  test.describe.configure({ timeout: 300_000 })
  const folder = mkdtempSync(join(tmpdir(), 'flowforge-duckdb-'))
  test.beforeAll(() => {
    execFileSync('npx', ['vite', 'build', '--logLevel', 'warn', '--outDir', folder, '--emptyOutDir'], {
      env: { ...process.env, FLOWFORGE_ADAPTER: 'duckdb' },
      stdio: 'inherit'
    })
  })
  test.afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('draws a workflow, runs it and shows its result, and says that nothing is kept', async () => {
    const profile = freshProfile()
    const server = await serveApp(folder)
    const { origin } = new URL(server.address)
    const { browser, requests } = await openBrowser(profile, { screen: { width: 1440, height: 900 } })
    const page = await openApp(browser, server.address)
    expect(await page.evaluate(() => window.flowforge.status())).toMatchObject({ storage: 'memory' })
    await dropBoth(page)
    await page.getByRole('link', { name: 'Workflows' }).click()
    await page.getByRole('button', { name: 'New workflow' }).first().click()
    await draw(page)
    await fillForms(page)
    await expect(page.getByRole('button', { name: '0 problems' })).toBeVisible()
    const runId = await pressRun(page)
    expectDelays(await resultOf(page, runId))
    await expectGrid(page)

    await page.keyboard.press('Escape')
    await canvasOf(page).click({ position: { x: 5, y: 5 } })
    await page.keyboard.press('ControlOrMeta+z')
    await page.keyboard.press('ControlOrMeta+Shift+z')
    await expect(nodeOf(page, 'Aggregate')).toBeVisible()

    const noErrors = async (heading: string): Promise<void> => {
      await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible()
      await expect(page.locator('main').getByRole('alert')).toHaveCount(0)
    }
    await page.getByRole('link', { name: 'Runs' }).click()
    await noErrors('Runs')
    await page.locator(`a[href="/runs/${runId}"]`).first().click()
    await expect(page.getByRole('tab').first()).toBeVisible()
    await expect(page.locator('main').getByRole('alert')).toHaveCount(0)
    await expect(page.locator('main')).toContainText(/succeeded/i)
    await page.getByRole('link', { name: 'Data', exact: true }).click()
    await noErrors('Data')
    await expect(page.locator('main')).toContainText('airports.csv')
    await page.getByRole('link', { name: 'Workflows', exact: true }).click()
    await noErrors('Workflows')
    await expect(page.locator('main')).toContainText('Untitled workflow')
    expect(await runIds(page)).toEqual([runId])
    expect(
      await page.evaluate(() => window.db.queryProjection({ sql: 'SELECT version() AS engine' }))
    ).toEqual([{ engine: expect.stringMatching(/^v1\./) }])

    await page.getByRole('link', { name: 'Settings' }).click()
    await expect(page.getByText(/^Nothing is kept/)).toBeVisible()

    const tables = ['workflows', 'workflow_versions', 'data_sources', 'runs', 'run_steps', 'artifacts']
    const rows = () =>
      page.evaluate(
        (names) =>
          Promise.all(
            names.map((name) => window.db.queryProjection({ sql: `SELECT * FROM ${name} ORDER BY id` }))
          ),
        tables
      )
    const before = await rows()
    const readModels = page.getByRole('region', { name: 'Read models' })
    for (const name of await page.evaluate(async () =>
      (await window.flowforge.projections.list()).map((model) => model.name)
    )) {
      const button = readModels.getByRole('button', { name: `Rebuild ${name}`, exact: true })
      await button.click()
      await expect(button).toBeEnabled()
    }
    await expect(readModels.getByRole('alert')).toHaveCount(0)
    expect(await rows()).toEqual(before)
    expect(before[tables.indexOf('runs')]).toHaveLength(1)

    await page.reload()
    await expect.poll(() => runIds(page), { timeout: 30_000 }).toEqual([])
    expect(foreign(requests, origin)).toEqual([])
    await browser.close()
    await server.stop()
    profile.remove()
  })
})
