import { type Locator, type Page } from '@playwright/test'
import { dropFiles, expect } from './app.ts'
import { airportsFile, expectedDelays, flightsFile, type StateDelay } from './delays.ts'

export const dropBoth = async (page: Page): Promise<void> => {
  const files = [airportsFile, flightsFile]
  await dropFiles(
    page,
    files.map(({ name, type, bytes }) => ({ name, type, base64: bytes.toString('base64') }))
  )
  await expect.poll(() => sourceNames(page), { timeout: 60_000 }).toEqual(['airports.csv', 'flights-2k.json'])
}

export const sourceNames = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const rows = await window.db.queryProjection({ sql: 'SELECT name FROM data_sources ORDER BY name' })
    return rows.map((row) => String(row['name']))
  })

export const runIds = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const rows = await window.db.queryProjection({ sql: 'SELECT id FROM runs ORDER BY created_at' })
    return rows.map((row) => String(row['id']))
  })

/** Every row of what a run's sink wrote. */
export const resultOf = (page: Page, runId: string): Promise<StateDelay[]> =>
  page.evaluate(async (id) => {
    const [artifact] = await window.db.queryProjection({
      sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table'
            AND json_extract(stats_json, '$.role') = 'result'`,
      params: [id]
    })
    const { rows, total } = await window.flowforge.artifacts.read({
      artifactId: String(artifact?.['id']),
      limit: 100_000
    })
    if (rows.length !== total) throw new Error(`${rows.length} of ${total} rows came.`)
    return rows.map((row) => ({
      state: String(row['state']),
      flights: Number(row['flights']),
      mean_delay: Number(row['mean_delay'])
    }))
  }, runId)

/** Counts exactly, means as floating point allows. */
export const expectDelays = (rows: readonly StateDelay[]): void => {
  const expected = expectedDelays()
  expect(rows.map(({ state, flights }) => ({ state, flights }))).toEqual(
    expected.map(({ state, flights }) => ({ state, flights }))
  )
  for (const [index, { mean_delay }] of expected.entries()) {
    expect(Math.abs((rows[index]?.mean_delay ?? Number.NaN) - mean_delay)).toBeLessThan(1e-9)
  }
}

/** Presses Run, waits until the run has ended well and answers with its id. */
export const pressRun = async (page: Page): Promise<string> => {
  const before = await runIds(page)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await expect.poll(async () => (await runIds(page)).length, { timeout: 30_000 }).toBe(before.length + 1)
  const runId = (await runIds(page)).at(-1) ?? ''
  const end = await page.evaluate((id) => window.flowforge.runs.wait({ runId: id }), runId)
  expect(end).toEqual({ status: 'succeeded' })
  return runId
}

/** What a person sees of the result: its first rows, in the grid. */
export const expectGrid = async (page: Page): Promise<void> => {
  const grid = page.getByRole('grid', { name: 'Rows of delays-by-state.csv' })
  const rows = grid.getByRole('row').filter({ has: page.getByRole('rowheader') })
  for (const [index, { state, flights }] of expectedDelays().slice(0, 3).entries()) {
    await expect(rows.nth(index).getByRole('gridcell').nth(0)).toHaveText(state)
    await expect(rows.nth(index).getByRole('gridcell').nth(1)).toHaveText(String(flights))
  }
}

// ── Drawing ──
export const canvasOf = (page: Page): Locator => page.getByRole('region', { name: 'Canvas' })
export const nodeOf = (page: Page, name: string): Locator =>
  canvasOf(page).locator('.vue-flow__node', { has: page.getByText(name, { exact: true }) })

/** Adds a node by the palette with the keyboard alone. */
export const addByKeyboard = async (page: Page, words: string, name: string): Promise<void> => {
  await page.keyboard.press('a')
  const search = page.getByRole('combobox', { name: 'Search nodes and data sources' })
  await expect(search).toBeFocused()
  await page.keyboard.type(words)
  await page.keyboard.press('Enter')
  await expect(search).toBeHidden()
  await expect(nodeOf(page, name)).toBeFocused()
}

/** Draws a wire with the mouse, from port to port. */
export const drag = async (page: Page, from: string, to: string): Promise<void> => {
  const centre = async (name: string) => {
    const box = await canvasOf(page).getByRole('button', { name, exact: true }).boundingBox()
    if (box === null) throw new Error(`The port ${name} is not drawn.`)
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
  }
  const [start, end] = [await centre(from), await centre(to)]
  await page.mouse.move(start.x, start.y)
  await page.mouse.down()
  await page.mouse.move((start.x + end.x) / 2, (start.y + end.y) / 2, { steps: 5 })
  await page.mouse.move(end.x, end.y, { steps: 5 })
  await page.mouse.up()
  await expect(wire(page, from, to)).toHaveCount(1)
}

export const wire = (page: Page, from: string, to: string): Locator =>
  canvasOf(page).locator(`[aria-label="From ${from} to ${to}"]`)

/** Draws a wire by the keyboard: the node is focused, C asks where its rows go. */
export const connectByKeyboard = async (page: Page, node: string, to: string): Promise<void> => {
  await nodeOf(page, node).focus()
  await page.keyboard.press('c')
  const search = page.getByRole('combobox', { name: 'Search ports' })
  await expect(search).toBeFocused()
  await page.keyboard.type(to)
  await page.keyboard.press('Enter')
  await expect(search).toBeHidden()
  await expect(wire(page, `${node} out`, to)).toHaveCount(1)
}

/** Opens a node's form by the keyboard. */
export const openForm = async (page: Page, name: string): Promise<Locator> => {
  await nodeOf(page, name).focus()
  await page.keyboard.press('Enter')
  const form = page.getByRole('complementary', { name: 'Inspector' }).getByRole('region', { name })
  await expect(form.getByLabel('Name', { exact: true })).toBeFocused()
  return form
}

export const write = async (field: Locator, text: string): Promise<void> => {
  await field.click()
  await field.press('ControlOrMeta+a')
  await field.pressSequentially(text)
}

export const fillForms = async (page: Page): Promise<void> => {
  const filter = await openForm(page, 'Filter')
  await write(filter.getByLabel('Keep rows where'), 'delay >= 15')

  const join = await openForm(page, 'Join')
  await join.getByRole('button', { name: 'Add pair' }).click()
  await join.getByRole('combobox', { name: 'Left column 1' }).selectOption('origin')
  await join.getByRole('combobox', { name: 'Right column 1' }).selectOption('iata')

  const aggregate = await openForm(page, 'Aggregate')
  const groups = aggregate.getByRole('listitem', { name: 'Step 1: Aggregate' })
  await groups.getByRole('combobox', { name: 'Group by' }).selectOption('state')
  await write(groups.getByLabel('Name of column 1'), 'flights')
  await groups.getByRole('button', { name: 'Add column' }).click()
  await write(groups.getByLabel('Name of column 2'), 'mean_delay')
  await write(groups.getByLabel('Expression of mean_delay'), 'avg(delay)')
  await aggregate.getByLabel('Add step').selectOption('sort')
  const sort = aggregate.getByRole('listitem', { name: 'Step 2: Sort' })
  await sort.getByRole('button', { name: 'Add column' }).click()
  await sort.getByRole('combobox', { name: 'Sort column 1' }).selectOption('flights')
  await sort.getByLabel('Order of flights').selectOption('Descending')
  await sort.getByRole('button', { name: 'Add column' }).click()
  await sort.getByRole('combobox', { name: 'Sort column 2' }).selectOption('state')

  const sink = await openForm(page, 'Sink')
  await sink.getByLabel('Format').selectOption('CSV')
  await write(sink.getByLabel('File name'), 'delays-by-state.csv')
}

export const draw = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Add node', exact: true }).click()
  await page.getByRole('option', { name: /flights-2k\.json/ }).click()
  await expect(nodeOf(page, 'flights-2k')).toBeVisible()
  await addByKeyboard(page, 'filter', 'Filter')
  await addByKeyboard(page, 'airports.csv', 'airports')
  await addByKeyboard(page, 'join', 'Join')
  await addByKeyboard(page, 'aggregate', 'Aggregate')
  await page.getByRole('button', { name: 'Add sink' }).click()
  await expect(nodeOf(page, 'Sink')).toBeVisible()

  await page.getByRole('button', { name: 'Fit to screen' }).click()
  await drag(page, 'flights-2k out', 'Filter in')
  await drag(page, 'airports out', 'Join right')
  await connectByKeyboard(page, 'Filter', 'Join left')
  await connectByKeyboard(page, 'Join', 'Aggregate in')
  await connectByKeyboard(page, 'Aggregate', 'Sink in')
  await page.getByRole('button', { name: 'Lay out' }).click()
}
