import { AxeBuilder } from '@axe-core/playwright'
import { expect, test, type Page } from '@playwright/test'
import { freshProfile, openApp, openBrowser, type Profile } from './app.ts'

let profile: Profile
test.beforeEach(() => {
  profile = freshProfile()
})
test.afterEach(() => profile.remove())

const noFaults = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([])
}
/** What stands in the grid's drawn cells, a row a line. */
const cells = (page: Page): Promise<string[]> =>
  page
    .getByRole('grid')
    .locator('[role=row]:has([role=gridcell])')
    .evaluateAll((rows) =>
      rows
        .toSorted((a, b) => Number(a.ariaRowIndex) - Number(b.ariaRowIndex))
        .map((row) => [...row.querySelectorAll('[role=gridcell]')].map((cell) => cell.textContent).join('|'))
    )
const paste = (page: Page, text: string): Promise<void> =>
  page.getByRole('grid').evaluate((grid, pasted) => {
    const data = new DataTransfer()
    data.setData('text/plain', pasted)
    grid.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
  }, text)
const press = async (page: Page, ...keys: readonly string[]): Promise<void> => {
  // oxlint-disable-next-line no-await-in-loop -- as a person does, one after the other
  for (const key of keys) await page.keyboard.press(key)
}

/** A workflow over "Rates" is run; gives back the run and its rows. */
const runRates = (page: Page, workflow: string | null) =>
  page.evaluate(async (known) => {
    const { workflows, runs, artifacts } = window.flowforge
    const workflowId = known ?? (await workflows.create({})).workflowId
    if (known === null) {
      await workflows.edit({
        workflowId,
        changes: [
          {
            type: 'add-node',
            node: { id: 'in', kind: 'source', name: 'Rates', spec: { dataSource: 'Rates' } }
          },
          {
            type: 'add-node',
            node: {
              id: 'by',
              kind: 'transform',
              name: 'Cents',
              spec: { steps: [{ op: 'derive', columns: { cents: 'rate * 100' } }] }
            }
          },
          {
            type: 'add-node',
            node: { id: 'out', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'r.csv' } }
          },
          { type: 'add-edge', edge: { from: 'in', to: 'by' } },
          { type: 'add-edge', edge: { from: 'by', to: 'out' } }
        ]
      })
    }
    const { runId } = await runs.start({ workflowId })
    const end = await runs.wait({ runId })
    const sql = `SELECT id FROM artifacts WHERE run_id = '${runId}' AND kind = 'table'`
    const [table] = await window.db.queryProjection({ sql })
    const read = async () => (await artifacts.read({ artifactId: String(table?.['id']) })).rows
    return {
      workflowId,
      runId,
      end,
      rows: (await read()).map((row) => Object.values(row).map(String).join(' '))
    }
  }, workflow)

const rowsOf = (page: Page, runId: string): Promise<string[]> =>
  page.evaluate(async (id) => {
    const sql = `SELECT id FROM artifacts WHERE run_id = '${id}' AND kind = 'table'`
    const [table] = await window.db.queryProjection({ sql })
    const { rows } = await window.flowforge.artifacts.read({ artifactId: String(table?.['id']) })
    return rows.map((row) => Object.values(row).map(String).join(' '))
  }, runId)

test('rows are typed with the keyboard alone, kept, edited and used; an old run keeps what it read', async () => {
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, '/data')
  await page.getByRole('link', { name: 'Type rows' }).focus()
  await press(page, 'Enter')
  await expect(page.getByLabel('Name')).toBeFocused()
  await page.keyboard.type('Rates')
  await press(page, 'Enter')
  const grid = page.getByRole('grid', { name: 'Rows of Rates' })
  await expect(grid).toBeFocused()
  await expect(grid).toHaveAttribute('aria-rowcount', '6')

  // The header is one row above: names and types.
  await press(page, 'ArrowUp', 'Enter')
  const dialog = page.getByRole('dialog')
  await expect(dialog.getByLabel('Name')).toBeFocused()
  await press(page, 'Control+a')
  await page.keyboard.type('currency')
  await press(page, 'Enter')
  await expect(grid).toBeFocused()
  await press(page, 'ArrowRight', 'Enter')
  await expect(dialog.getByLabel('Name')).toBeFocused()
  await press(page, 'Control+a')
  await page.keyboard.type('rate')
  await press(page, 'Tab')
  await page.keyboard.type('decimal')
  await dialog.getByLabel('Name').focus()
  await press(page, 'Enter')
  await expect(grid).toBeFocused()
  await expect(page.getByRole('columnheader', { name: 'rate , decimal' })).toBeVisible()

  await press(page, 'ArrowDown', 'ArrowLeft')
  await page.keyboard.type('EUR')
  await press(page, 'Tab')
  await page.keyboard.type('dear')
  await press(page, 'Enter', 'ArrowUp')
  await expect(page.getByText('Row 1, column "rate": "dear" is no decimal number.')).toBeVisible()
  await expect(page.getByText('Not saved')).toBeVisible()
  await press(page, 'Control+s')
  await expect(page.getByRole('alert')).toContainText('Row 1, column "rate"')
  await page.screenshot({ path: 'test-results/typed-rows-problem.png' })
  await press(page, 'F2', 'Control+a')
  await page.keyboard.type('1.10')
  await press(page, 'Enter', 'Control+z')
  expect((await cells(page))[0]).toBe('EUR|dear')
  await press(page, 'Control+y')
  expect((await cells(page))[0]).toBe('EUR|1.10')

  await press(page, 'Control+Home', 'ArrowDown')
  await paste(page, 'GBP\t1.25\r\n"New ""York"""\t\r\n""\t2\r\n')
  expect((await cells(page)).slice(0, 4)).toEqual(['EUR|1.10', 'GBP|1.25', 'New "York"|', 'empty text|2'])
  await expect(page.getByText('3 × 2 selected')).toBeVisible()
  await press(page, 'Control+s')
  await expect(page.getByText('Saved', { exact: true })).toBeVisible({ timeout: 60_000 })
  await expect(page).toHaveURL(/\/data\/rows\/datasource/)
  await noFaults(page)
  await page.screenshot({ path: 'test-results/typed-rows.png' })

  // Kept beyond a reload, without the rows that nobody filled, NULL apart from the empty text.
  await page.reload()
  await expect(page.getByText('4 rows')).toBeVisible({ timeout: 60_000 })
  expect(await cells(page)).toEqual(['EUR|1.10', 'GBP|1.25', 'New "York"|', 'empty text|2'])
  const first = await runRates(page, null)
  expect(first.end).toEqual({ status: 'succeeded' })
  expect(first.rows).toEqual([
    'EUR 1.1000000000 110.0000000000',
    'GBP 1.2500000000 125.0000000000',
    'New "York" null null',
    ' 2.0000000000 200.0000000000'
  ])

  // Edited: a row moves, two go, one is typed anew.
  await grid.focus()
  await press(page, 'Alt+ArrowDown')
  expect((await cells(page)).slice(0, 2)).toEqual(['GBP|1.25', 'EUR|1.10'])
  await press(page, 'Shift+ArrowDown', 'Control+Delete')
  expect(await cells(page)).toEqual(['GBP|1.25', 'empty text|2'])
  await press(page, 'Delete')
  expect(await cells(page)).toEqual(['GBP|1.25', '|2'])
  await page.keyboard.type('CHF')
  await press(page, 'Enter')
  await expect(grid).toHaveAttribute('aria-rowcount', '4')

  // Leaving asks.
  await page.getByRole('link', { name: 'Runs' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Stay' }).click()
  await expect(page.getByText('Not saved')).toBeVisible()
  await grid.focus()
  await press(page, 'Control+s')
  await expect(page.getByText('Saved', { exact: true })).toBeVisible({ timeout: 60_000 })
  // Escape lets Tab leave the grid.
  await grid.focus()
  await press(page, 'Escape', 'Tab')
  await expect(grid).not.toBeFocused()

  const next = await runRates(page, first.workflowId)
  expect(next.end).toEqual({ status: 'succeeded' })
  expect(next.rows).toEqual(['GBP 1.2500000000 125.0000000000', 'CHF 2.0000000000 200.0000000000'])
  expect(await rowsOf(page, first.runId)).toEqual(first.rows)

  await page.getByRole('button', { name: 'Back to the data' }).click()
  await expect(page.getByRole('grid', { name: 'Rows of Rates' })).toContainText('CHF', { timeout: 60_000 })
  await expect(page.getByRole('link', { name: 'Edit rows' })).toBeVisible()
  await expect(page.getByText('Used in')).toBeVisible()
  await noFaults(page)
  await page.screenshot({ path: 'test-results/typed-rows-data.png' })
  await browser.close()
})

test('a table from a spreadsheet is typed in once, and looks right in the dark on a narrow screen', async () => {
  const { browser } = await openBrowser(profile, { screen: { width: 390, height: 800 }, colorScheme: 'dark' })
  const page = await openApp(browser, '/data/rows')
  await page.getByLabel('Name').fill('Stations')
  const grid = page.getByRole('grid')
  await grid.focus()
  const lines = Array.from({ length: 9_999 }, (_, at) => `${at + 1}\tstation ${at + 1}\t2024-05-31\tTRUE`)
  await paste(page, ['id\tname\topened\tactive', ...lines].join('\n'))
  await expect(grid).toHaveAttribute('aria-rowcount', '10001')
  await expect(grid).toHaveAttribute('aria-colcount', '5')
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'First row is the header' }).click()
  await expect(page.getByRole('columnheader', { name: 'opened , date' })).toBeAttached()
  await expect(page.getByText('9,999 rows')).toBeVisible()
  // Two more would be too many.
  await grid.focus()
  await press(page, 'Control+End')
  await expect(grid).toHaveAttribute('aria-activedescendant', /-9998-3$/)
  await paste(page, 'a\nb\nc')
  await expect(page.getByRole('alert')).toContainText('at most 10,000 rows')
  await page.getByRole('button', { name: 'Dismiss' }).click()
  await grid.focus()
  await press(page, 'Control+Home')
  await noFaults(page)
  await page.screenshot({ path: 'test-results/typed-rows-narrow.png' })
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Saved', { exact: true })).toBeVisible({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Back to the data' }).click()
  await expect(page.getByRole('grid', { name: 'Rows of Stations' })).toContainText('station 1')
  await noFaults(page)
  await page.screenshot({ path: 'test-results/typed-rows-data-narrow.png' })
  await page.goto('/data')
  await expect(page.getByRole('navigation', { name: 'Data sources' })).toBeVisible({ timeout: 60_000 })
  await page.screenshot({ path: 'test-results/typed-rows-list-narrow.png' })
  await browser.close()
})
