import { test } from '@playwright/test'
import { dropFiles, expect, freshProfile, openApp, openBrowser } from './app.ts'
import { startEndless, statusOf } from './endless-run.ts'

test.describe('what goes wrong', () => {
  test('a run is canceled while it works, and leaves no step open and no result', async ({ baseURL }) => {
    const profile = freshProfile()
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const runId = await startEndless(page)
    await expect.poll(async () => (await statusOf(page, runId)).status).toBe('running')
    const end = await page.evaluate(async (id) => {
      await window.flowforge.runs.cancel({ runId: id })
      const { status } = await window.flowforge.runs.wait({ runId: id })
      const steps = await window.db.queryProjection({
        sql: `SELECT status FROM run_steps WHERE run_id = ? AND status IN ('queued', 'running')`,
        params: [id]
      })
      const results = await window.db.queryProjection({
        sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table'`,
        params: [id]
      })
      return { status, steps, results }
    }, runId)
    expect(end).toEqual({ status: 'canceled', steps: [], results: [] })
    await browser.close()
    profile.remove()
  })

  test('a run that the browser’s end cut off is found and ended, with the reason', async ({ baseURL }) => {
    const profile = freshProfile()
    const first = await openBrowser(profile)
    const page = await openApp(first.browser, String(baseURL))
    const runId = await startEndless(page)
    await expect.poll(async () => (await statusOf(page, runId)).status).toBe('running')
    await first.browser.close()

    const second = await openBrowser(profile)
    const again = await openApp(second.browser, String(baseURL))
    const { status, error } = await statusOf(again, runId)
    expect(status).toBe('failed')
    expect(error).toContain('closed while this run was going on')
    const open = await again.evaluate(() =>
      window.db.queryProjection({ sql: `SELECT id FROM run_steps WHERE status IN ('queued', 'running')` })
    )
    expect(open).toEqual([])
    await second.browser.close()
    profile.remove()
  })

  test('a broken file dropped on the page is refused with its line, and nothing is kept of it', async ({
    baseURL
  }) => {
    const profile = freshProfile()
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const ragged = `a,b,c\n${'1,2,3\n'.repeat(40)}4,5\n6,7,8\n`
    await dropFiles(page, [
      { name: 'ragged.csv', type: 'text/csv', base64: Buffer.from(ragged).toString('base64') },
      { name: 'empty.csv', type: 'text/csv', base64: '' }
    ])
    await expect(page.getByText(/line 42/i).first()).toBeVisible({ timeout: 20_000 })
    await expect(page.getByText(/is empty/i).first()).toBeVisible()
    const kept = await page.evaluate(async () => ({
      sources: await window.db.queryProjection({ sql: 'SELECT id FROM data_sources' }),
      blobs: await window.db.queryProjection({ sql: 'SELECT key FROM blobs' })
    }))
    expect(kept).toEqual({ sources: [], blobs: [] })
    await browser.close()
    profile.remove()
  })

  test('a document with problems is refused with every one and its path', async ({ baseURL }) => {
    const profile = freshProfile()
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const paths = await page.evaluate(async () => {
      const file = new File(['a,b\n1,2\n'], 'x.csv', { type: 'text/csv' })
      await window.flowforge.sources.importFile({ file })
      try {
        await window.flowforge.workflows.import({
          format: 'flowforge.workflow/1',
          name: 'Wrong',
          nodes: [
            { id: 's', kind: 'source', name: 'S', spec: { dataSource: 'x.csv' } },
            {
              id: 't',
              kind: 'transform',
              name: 'T',
              spec: {
                steps: [
                  { op: 'filter', where: 'nothing > 1' },
                  { op: 'derive', columns: { c: 'a +' } }
                ]
              }
            },
            { id: 'j', kind: 'join', name: 'J', spec: { type: 'inner', on: [{ left: 'a', right: 'zzz' }] } }
          ],
          edges: [
            { from: 's', to: 't' },
            { from: 's', to: 'j', toPort: 'left' },
            { from: 's', to: 'j', toPort: 'right' },
            { from: 's', to: 'nobody' }
          ]
        })
        return []
      } catch (error) {
        const details = Reflect.get(Object(error), 'details') as { problems: { path: string }[] }
        return details.problems.map(({ path }) => path)
      }
    })
    expect(paths.toSorted()).toEqual([
      'edges[3].to',
      'nodes[1].spec.steps[0].where',
      'nodes[1].spec.steps[1].columns.c',
      'nodes[2].spec.on[0].right'
    ])
    const stored = await page.evaluate(() => window.db.queryProjection({ sql: 'SELECT id FROM workflows' }))
    expect(stored).toEqual([])
    await browser.close()
    profile.remove()
  })
})
