import { AxeBuilder } from '@axe-core/playwright'
import { test, type Page } from '@playwright/test'
import { dropFiles, expect, freshProfile, openApp, openBrowser } from './app.ts'
import { flightsFile } from './delays.ts'
import { nodeOf, openForm, pressRun, write } from './drawing.ts'

type Flight = { delay: number }
const flights = JSON.parse(flightsFile.bytes.toString('utf8')) as Flight[]
const laterThan = (minutes: number): number => flights.filter(({ delay }) => delay > minutes).length

const drawing = {
  format: 'flowforge.workflow/1',
  name: 'Late flights',
  nodes: [
    { id: 'flights', kind: 'source', name: 'Flights', spec: { dataSource: flightsFile.name } },
    { id: 'rate', kind: 'rule', name: 'Rate', spec: { rules: [] } },
    { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'rated.csv' } }
  ],
  edges: [
    { from: 'flights', to: 'rate' },
    { from: 'rate', to: 'result' }
  ]
}

/** How many rows of a run's result the rules have marked, and what the run's manifest says of the catalog. */
const marked = (page: Page, runId: string): Promise<{ count: number; used: unknown }> =>
  page.evaluate(async (id) => {
    const [artifact] = await window.db.queryProjection({
      sql: `SELECT a.id, r.input_manifest_json FROM artifacts a JOIN runs r ON r.id = a.run_id
            WHERE a.run_id = ? AND a.kind = 'table' AND a.stats_json ->> '$.role' = 'result'`,
      params: [id]
    })
    const { rows } = await window.flowforge.artifacts.read({
      artifactId: String(artifact?.['id']),
      limit: 100_000
    })
    const manifest: unknown = JSON.parse(String(artifact?.['input_manifest_json']))
    return {
      count: rows.filter((row) => row['size'] === 'large').length,
      used:
        typeof manifest === 'object' && manifest !== null && 'catalog' in manifest ? manifest.catalog : null
    }
  }, runId)

const catalogLink = (page: Page) => page.getByRole('link', { name: 'Catalog', exact: true })

test('a schema that is inferred from a file lets all of its rows through, also those with empty cells', async ({
  baseURL
}) => {
  const profile = freshProfile()
  const { browser } = await openBrowser(profile, { screen: { width: 1440, height: 900 } })
  const page = await openApp(browser, String(baseURL))
  const itemId = await page.evaluate(async () => {
    const { sources, catalog } = window.flowforge
    await sources.importFile({ file: new File(['id,zip\n1,02134\n2,\n'], 'orders.csv') })
    const { itemId: id } = await catalog.create({
      name: 'orders',
      content: { kind: 'schema', spec: { jsonSchema: { type: 'object', required: ['nothing'] } } }
    })
    return id
  })
  await page.goto(new URL(`/catalog/${itemId}`, String(baseURL)).href)
  await page.getByLabel('Infer from a data source').selectOption('orders.csv')
  await page.getByRole('button', { name: 'Publish version 2' }).click()
  const newest = () =>
    page.evaluate(
      async (id) => (await window.flowforge.catalog.get({ itemId: id })).versions.at(-1)?.content,
      itemId
    )
  await expect.poll(newest).toMatchObject({ spec: { jsonSchema: { required: ['id'] } } })

  const counts = await page.evaluate(async () => {
    const { workflows, runs } = window.flowforge
    const { workflowId } = await workflows.import({
      format: 'flowforge.workflow/1',
      name: 'Checked',
      nodes: [
        {
          id: 'orders',
          kind: 'source',
          name: 'Orders',
          spec: { dataSource: 'orders.csv', schema: { name: 'orders' } }
        },
        { id: 'good', kind: 'sink', name: 'Good', spec: { format: 'csv', fileName: 'good.csv' } }
      ],
      edges: [{ from: 'orders', to: 'good' }]
    })
    const { runId } = await runs.start({ workflowId })
    const { status } = await runs.wait({ runId })
    const rows = await window.db.queryProjection({
      sql: `SELECT rows FROM artifacts WHERE run_id = ? AND kind = 'table'`,
      params: [runId]
    })
    return { status, rows }
  })
  expect(counts).toEqual({ status: 'succeeded', rows: [{ rows: 2 }] })
  await browser.close()
  profile.remove()
})

test('a rule set is made, used, published again, and runs by its latest and its pinned version', async ({
  baseURL
}) => {
  const profile = freshProfile()
  const { browser } = await openBrowser(profile, { screen: { width: 1440, height: 900 } })
  const page = await openApp(browser, String(baseURL))
  await dropFiles(page, [
    { name: flightsFile.name, type: flightsFile.type, base64: flightsFile.bytes.toString('base64') }
  ])
  await expect(page.getByText(flightsFile.name).first()).toBeVisible()

  await catalogLink(page).click()
  await page.getByRole('button', { name: 'New rule set from an example' }).click()
  await write(page.getByLabel('Name', { exact: true }), 'Lateness')
  await write(page.getByLabel('When'), 'delay > 60')
  await page.getByRole('button', { name: 'Create rule set' }).click()
  await expect(page.getByRole('heading', { name: 'Lateness' })).toBeVisible()
  await expect(page.getByText('Nothing uses it yet.')).toBeVisible()

  const { workflowId } = await page.evaluate(
    (document) => window.flowforge.workflows.import(document),
    drawing
  )
  const open = async () => {
    await page.getByRole('link', { name: 'Workflows', exact: true }).click()
    await page.getByRole('link', { name: 'Late flights' }).first().click()
    await expect(nodeOf(page, 'Rate')).toBeVisible()
  }
  await open()
  const form = await openForm(page, 'Rate')
  await form.getByLabel('Rule set', { exact: true }).selectOption('Lateness')
  await expect(page.getByRole('button', { name: '0 problems' })).toBeVisible()
  const first = await marked(page, await pressRun(page))
  expect(first.count).toBe(laterThan(60))
  expect(first.used).toEqual([
    expect.objectContaining({ nodeId: 'rate', kind: 'rule-set', name: 'Lateness', version: 1 })
  ])

  await catalogLink(page).click()
  await page.getByRole('link', { name: 'Lateness' }).click()
  await expect(page.getByText(/Rate · version 1, draft · latest/)).toBeVisible()
  await write(page.getByLabel('When'), 'delay > 15')
  await page.getByLabel('Description').focus()
  await page.getByLabel('In the run').selectOption({ index: 1 })
  await page.getByRole('button', { name: 'Compare' }).click()
  const changing = (laterThan(15) - laterThan(60)).toLocaleString('en')
  await expect(page.getByText(`Rate: ${changing} rows change against version 1.`)).toBeVisible()
  await page.getByRole('button', { name: 'Publish version 2' }).click()
  await expect(page.getByText('Version 2', { exact: true })).toBeVisible()
  await expect(page.getByText('rules › 1 › when changed:')).toBeVisible()

  await open()
  const latest = await marked(page, await pressRun(page))
  expect(latest.count).toBe(laterThan(15))
  expect(latest.used).toEqual([expect.objectContaining({ version: 2 })])
  const again = await openForm(page, 'Rate')
  await again.getByLabel('Version').selectOption('Version 1')
  await expect
    .poll(() =>
      page.evaluate(async (id) => {
        const { graph } = await window.flowforge.workflows.get({ workflowId: id })
        return graph.nodes.find((node) => node.id === 'rate')?.spec
      }, workflowId)
    )
    .toMatchObject({ ruleSet: { name: 'Lateness', version: 1 } })
  const pinned = await marked(page, await pressRun(page))
  expect(pinned).toEqual(first)

  const document = await page.evaluate(
    (id) => window.flowforge.workflows.export({ workflowId: id }),
    workflowId
  )
  expect(JSON.stringify(document)).toContain('"ruleSet":{"name":"Lateness","version":1}')
  const refused = await page.evaluate(async () => {
    const { itemId } = await window.flowforge.catalog.get({ kind: 'rule-set', name: 'Lateness' })
    return window.flowforge.catalog.remove({ itemId }).catch((error: unknown) => String(error))
  })
  expect(refused).toContain('"Rate" in "Late flights" (version 1, draft)')
  const missing = await page.evaluate(async (text) => {
    const renamed = JSON.parse(text.replaceAll('Lateness', 'Elsewhere').replace('Late flights', 'Other'))
    return (await window.flowforge.workflows.import(renamed)).problems
  }, JSON.stringify(document))
  expect(missing).toEqual([
    expect.objectContaining({ code: 'unknown-item', path: 'nodes[1].spec.ruleSet', nodeId: 'rate' })
  ])
  await browser.close()
  profile.remove()
})

const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [
    { width: 1280, height: 800 },
    { width: 390, height: 844 }
  ].map((screen) => ({ colorScheme, screen }))
)

for (const { colorScheme, screen } of looks) {
  test(`the catalog's screens, ${colorScheme}, ${screen.width} wide: nothing grave for axe, no overflow`, async ({
    baseURL
  }, testInfo) => {
    test.setTimeout(240_000)
    const profile = freshProfile()
    const { browser } = await openBrowser(profile, { colorScheme, screen })
    const page = await openApp(browser, String(baseURL))
    const judge = async (name: string) => {
      await page.screenshot({ path: testInfo.outputPath(`${name}.png`) })
      const { violations } = await new AxeBuilder({ page }).analyze()
      const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      expect
        .soft(
          grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          name
        )
        .toEqual([])
      const isWide = await page.evaluate(
        () => document.documentElement.scrollWidth > document.documentElement.clientWidth
      )
      expect.soft(isWide, `${name}: width`).toBe(false)
    }
    const go = async (path: string, heading: string) => {
      await page.goto(String(baseURL) + path)
      await expect(page.getByRole('heading', { name: heading }).first()).toBeVisible()
    }
    await go('/catalog', 'What workflows share will be listed here')
    await judge('empty')
    const ids = await page.evaluate(async () => {
      const made = async (
        name: string,
        content: Parameters<typeof window.flowforge.catalog.create>[0]['content']
      ) => (await window.flowforge.catalog.create({ name, content })).itemId
      const rules = (when: string) => ({ rules: [{ name: 'Late', when, set: { late: 'true' } }] })
      const ruleSet = await made('Lateness', { kind: 'rule-set', spec: rules('delay > 60') })
      await window.flowforge.catalog.edit({ itemId: ruleSet, spec: rules('delay > 15') })
      await window.flowforge.catalog.publish({ itemId: ruleSet })
      await made('People', { kind: 'endpoint', spec: { baseUrl: 'https://api.example.com/v1' } })
      const template = await made('Person', {
        kind: 'request-template',
        spec: { endpoint: 'People', method: 'GET', path: '/people/{{id}}' }
      })
      const schema = await made('Order', { kind: 'schema', spec: { jsonSchema: { type: 'object' } } })
      const operator = await made('Complete', {
        kind: 'operator',
        spec: {
          kind: 'validation',
          parameters: [{ name: 'column', type: 'column' }],
          checks: [{ when: '$column IS NOT NULL', reason: 'it is empty' }]
        }
      })
      return { ruleSet, template, schema, operator }
    })
    await go(`/catalog/${ids.ruleSet}`, 'Lateness')
    await expect(page.getByText('Version 2', { exact: true })).toBeVisible()
    await judge('rule-set')
    await go(`/catalog/${ids.template}`, 'Person')
    await page.getByLabel('id', { exact: true }).fill('a b')
    await expect(page.getByText('GET /people/a%20b')).toBeVisible()
    await judge('template')
    await go(`/catalog/${ids.schema}`, 'Order')
    await expect(page.getByRole('textbox', { name: 'JSON Schema' })).toBeVisible()
    await judge('schema')
    await go(`/catalog/${ids.operator}`, 'Complete')
    await judge('operator')
    await go('/catalog/new?kind=join', 'New join')
    await judge('new-join')
    await browser.close()
    profile.remove()
  })
}
