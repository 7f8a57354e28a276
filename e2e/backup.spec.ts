import { AxeBuilder } from '@axe-core/playwright'
import { join } from 'node:path'
import { test, type BrowserContext, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, type Profile } from './app.ts'

/** What stands in the log, in a table and in a large blob. */
const content = (page: Page) =>
  page.evaluate(async () => ({
    events: (await window.db.readAll({ limit: 10_000 })).map(({ id, payload }) => [id, payload]),
    workflows: await window.db.queryProjection({ sql: 'SELECT * FROM workflows ORDER BY id' }),
    blobs: await window.db.queryProjection({ sql: 'SELECT * FROM blobs ORDER BY key' }),
    large: (await window.db.getBlob({ key: 'large' }))?.data.reduce((sum, byte) => sum + byte, 0)
  }))

const fill = (page: Page) =>
  page.evaluate(async () => {
    await window.flowforge.examples.open({ example: 'delays-by-state' })
    await window.db.putBlob({ key: 'large', data: new Uint8Array(3_000_000).fill(5) })
    await window.db.appendEvent({ aggregateId: 'a:1', eventType: 'Noted', payload: { text: 'before' } })
  })
const change = (page: Page) =>
  page.evaluate(async () => {
    await window.flowforge.workflows.create({ name: 'Made after the backup' })
    await window.db.putBlob({ key: 'large', data: new Uint8Array(600_000).fill(1) })
    await window.db.appendEvent({ aggregateId: 'a:1', eventType: 'Noted', payload: { text: 'after' } })
  })

test.describe('backup and restore', () => {
  let profile: Profile
  let browser: BrowserContext
  test.beforeEach(async () => {
    profile = freshProfile()
    ;({ browser } = await openBrowser(profile))
  })
  test.afterEach(async () => {
    await browser.close()
    profile.remove()
  })

  test('all is as it was, in every tab and after a reload; and the restore can be undone', async ({
    baseURL
  }) => {
    const page = await openApp(browser, String(baseURL))
    await fill(page)
    const before = await content(page)
    const file = await page.evaluateHandle(() => window.flowforge.backup.create())
    const other = await openApp(browser, `${String(baseURL)}/workflows`, await browser.newPage())
    await change(page)
    const changed = await content(page)
    await expect(other.getByText('Made after the backup').first()).toBeVisible()

    const summary = await page.evaluate((backup) => window.flowforge.backup.restore({ file: backup }), file)
    expect(summary).toMatchObject({ workflows: 1, events: before.events.length })
    expect(await content(page)).toEqual(before)
    expect(await content(other)).toEqual(before)
    await expect(other.getByText('Made after the backup')).toHaveCount(0)
    await page.reload()
    expect(await content(page)).toEqual(before)

    await other.evaluate(() => window.flowforge.backup.undoRestore())
    expect(await content(other)).toEqual(changed)
    expect(await content(page)).toEqual(changed)
  })

  test('whoever follows the log is told that a restore has put another history in its place, in every tab', async ({
    baseURL
  }) => {
    const page = await openApp(browser, String(baseURL))
    const other = await openApp(browser, String(baseURL), await browser.newPage())
    await page.evaluate(() =>
      window.db.appendEvent({ aggregateId: 'a:1', eventType: 'Noted', payload: { text: 'kept' } })
    )
    const file = await page.evaluateHandle(() => window.flowforge.backup.create())
    await page.evaluate(() =>
      window.db.appendEvent({ aggregateId: 'a:1', eventType: 'Noted', payload: { text: 'undone' } })
    )
    for (const tab of [page, other]) {
      await tab.evaluate(() => {
        const heard: string[] = []
        Object.assign(window, { heard })
        window.db.subscribe({
          afterPosition: 1,
          listener: ({ payload }) => heard.push(String(payload['text'])),
          onFailure: (error) => heard.push(`${Reflect.get(Object(error), 'code')}: ${String(error)}`)
        })
      })
    }
    const heardIn = (tab: Page): Promise<string[]> => tab.evaluate(() => Reflect.get(window, 'heard'))
    for (const tab of [page, other]) await expect.poll(() => heardIn(tab)).toEqual(['undone'])

    await page.evaluate((backup) => window.flowforge.backup.restore({ file: backup }), file)
    await page.evaluate(() =>
      window.db.appendEvent({ aggregateId: 'a:1', eventType: 'Noted', payload: { text: 'in its place' } })
    )
    for (const tab of [page, other]) {
      await expect
        .poll(() => heardIn(tab))
        .toEqual(['undone', expect.stringMatching(/^CONFLICT: .*subscribe again/)])
    }
  })

  test('a person saves a backup, restores it, undoes that, and is told of a file that is none', async ({
    baseURL
  }) => {
    const page = await openApp(browser, String(baseURL))
    await fill(page)
    const before = await content(page)
    await page.goto(`${String(baseURL)}/settings#backup`)
    const backup = page.getByRole('region', { name: 'Backup', exact: true })
    await expect(backup.getByRole('heading', { name: 'Backup' })).toBeInViewport()
    await expect(page.getByRole('heading', { name: 'Storage' })).not.toBeInViewport()
    // The frame stays where it is.
    await expect(page.getByRole('link', { name: 'FlowForge', exact: true })).toBeInViewport({ ratio: 1 })
    const downloading = page.waitForEvent('download')
    await backup.getByRole('button', { name: 'Save a backup' }).click()
    const download = await downloading
    const saved = join(profile.folder, download.suggestedFilename())
    await download.saveAs(saved)
    await change(page)
    const changed = await content(page)

    const picker = backup.locator('input[type=file]')
    await picker.setInputFiles({ name: 'notes.sqlite', mimeType: '', buffer: Buffer.from('a,b\n1,2\n') })
    await expect(backup.getByRole('alert')).toBeVisible()
    expect(await content(page)).toEqual(changed)

    await picker.setInputFiles(saved)
    await expect(backup.getByText('1 workflow · ')).toBeVisible()
    expect(await content(page)).toEqual(changed)
    await backup.getByRole('button', { name: 'Restore it' }).click()
    await expect(backup.getByText('The backup is in place')).toBeVisible()
    expect(await content(page)).toEqual(before)
    // It was closed in order before it was opened again.
    expect((await page.evaluate(() => window.flowforge.health.state())).lastEnd.kind).toBe('clean')

    const { violations } = await new AxeBuilder({ page }).include('#backup').analyze()
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
    await backup.getByRole('button', { name: 'Undo the last restore' }).click()
    await expect(backup.getByText('is back')).toBeVisible()
    expect(await content(page)).toEqual(changed)
  })

  test('a broken file is refused with what is wrong, and all stays', async ({ baseURL }) => {
    const page = await openApp(browser, String(baseURL))
    await fill(page)
    const before = await content(page)
    const refusals = await page.evaluate(async () => {
      const file = await window.flowforge.backup.create()
      const bytes = new Uint8Array(await file.arrayBuffer())
      const text = new TextDecoder('latin1').decode(bytes)
      const at = text.indexOf('"text":"before"')
      bytes.set([88], at + 9)
      const bad = [new Blob(['a,b\n1,2\n']), file.slice(0, file.size - 4_096), new Blob([bytes])]
      const codes: string[] = []
      for (const each of bad) {
        // oxlint-disable-next-line no-await-in-loop -- one job at a time
        const failure: unknown = await window.flowforge.backup.restore({ file: each }).catch((error) => error)
        codes.push(String(Reflect.get(Object(failure), 'code')))
      }
      return codes
    })
    expect(refusals).toEqual(['INVALID_INPUT', 'CORRUPT', 'CORRUPT'])
    expect(await content(page)).toEqual(before)
    await page.reload()
    expect(await content(page)).toEqual(before)
  })
})
