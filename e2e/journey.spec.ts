import { test } from '@playwright/test'
import { expect, foreign, freshProfile, isServed, openApp, openBrowser, serveApp } from './app.ts'
import { airportsFile, delaysDocument, flightsFile } from './delays.ts'
import {
  dropBoth,
  sourceNames,
  runIds,
  resultOf,
  expectDelays,
  pressRun,
  expectGrid,
  canvasOf,
  nodeOf,
  fillForms,
  draw
} from './drawing.ts'

test.describe('from a dropped file to a result that is still there tomorrow', () => {
  test.describe.configure({ timeout: 240_000 })
  test('draws a workflow, runs it, and goes on offline in a browser that was closed', async () => {
    const profile = freshProfile()
    const server = await serveApp()
    const { origin } = new URL(server.address)

    const first = await openBrowser(profile, { screen: { width: 1440, height: 900 } })
    const page = await openApp(first.browser, server.address)
    await dropBoth(page)
    await page.getByRole('link', { name: 'Workflows' }).click()
    await page.getByRole('button', { name: 'New workflow' }).first().click()
    await draw(page)
    await fillForms(page)
    await expect(page.getByRole('button', { name: '0 problems' })).toBeVisible()
    const runId = await pressRun(page)
    expectDelays(await resultOf(page, runId))
    await expectGrid(page)
    const address = new URL(page.url()).pathname
    await expect(page.getByText('Ready offline').first()).toBeVisible({ timeout: 60_000 })
    await first.browser.close()
    expect(foreign(first.requests, origin)).toEqual([])

    await server.stop()
    expect(await isServed(server.address)).toBe(false)

    const second = await openBrowser(profile, { screen: { width: 1440, height: 900 } })
    const again = await openApp(second.browser, server.address)
    expect(await sourceNames(again)).toEqual(['airports.csv', 'flights-2k.json'])
    expect(await runIds(again)).toEqual([runId])
    expectDelays(await resultOf(again, runId))
    const link = again.locator(`a[href="${address}"]`).first()
    await link.click()
    await expect(nodeOf(again, 'Aggregate')).toBeVisible()
    await expect(canvasOf(again).locator('.vue-flow__node')).toHaveCount(6)
    await expect(canvasOf(again).locator('.vue-flow__edge')).toHaveCount(5)
    const offlineRun = await pressRun(again)
    expect(offlineRun).not.toBe(runId)
    expectDelays(await resultOf(again, offlineRun))
    await expectGrid(again)
    await second.browser.close()
    expect(foreign(second.requests, origin)).toEqual([])
    profile.remove()
  })

  test('the same by window.flowforge alone, from a workflow document', async ({ baseURL }) => {
    const profile = freshProfile()
    const { browser, requests } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const { runId, graphs, refusal } = await page.evaluate(
      async ({ document, files }) => {
        const { sources, workflows, runs } = window.flowforge
        for (const { name, type, base64 } of files) {
          const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
          await sources.importFile({ file: new File([bytes], name, { type }) })
        }
        const { workflowId, problems } = await workflows.import(document)
        if (problems.length > 0) throw new Error(JSON.stringify(problems))
        const refused = await runs.start({ workflowId, parameters: { minDelay: 'many' } }).then(
          () => null,
          (error: Error & { code?: string }) => ({ code: error.code, message: error.message })
        )
        const started = await runs.start({ workflowId })
        const { status } = await runs.wait({ runId: started.runId })
        if (status !== 'succeeded') throw new Error(`The run is ${status}.`)
        const exported = await workflows.export({ workflowId })
        const copy = await workflows.import(exported)
        return {
          runId: started.runId,
          refusal: refused,
          graphs: {
            first: (await workflows.get({ workflowId })).graph,
            second: (await workflows.get({ workflowId: copy.workflowId })).graph
          }
        }
      },
      {
        document: delaysDocument,
        files: [airportsFile, flightsFile].map(({ name, type, bytes }) => ({
          name,
          type,
          base64: bytes.toString('base64')
        }))
      }
    )
    expectDelays(await resultOf(page, runId))
    expect(refusal).toEqual({
      code: 'INVALID_INPUT',
      message: 'The parameter "minDelay" must be a number, e.g. 1.5, not "many".'
    })
    const { logs, runs } = await page.evaluate(
      async (run) => ({
        logs: await window.db.queryProjection({
          sql: 'SELECT message FROM run_logs WHERE run_id = ? ORDER BY rowid',
          params: [run]
        }),
        runs: await window.db.queryProjection({ sql: 'SELECT count(*) AS n FROM runs' })
      }),
      runId
    )
    expect(runs, 'a refused start leaves no run').toEqual([{ n: 1 }])
    const said = logs.map(({ message }) => String(message))
    expect(
      said.some((message) => /^\S.* reads airports\.csv: 3,376 rows\.$/.test(message)),
      said.join('\n')
    ).toBe(true)
    expect(said.some((message) => /^[\d,]+ rows? out, after [\d,]+ ms\.$/.test(message))).toBe(true)
    expect(said.some((message) => message.startsWith('Wrote '))).toBe(true)
    expect(graphs.second).toEqual(graphs.first)
    expect(graphs.first.nodes.map(({ id }) => id)).toEqual(delaysDocument.nodes.map(({ id }) => id))
    expect(graphs.first.edges).toHaveLength(delaysDocument.edges.length)
    await browser.close()
    expect(foreign(requests, new URL(String(baseURL)).origin)).toEqual([])
    profile.remove()
  })
})
