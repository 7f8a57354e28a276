import { AxeBuilder } from '@axe-core/playwright'
import { test, type BrowserContext, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, type Profile } from './app.ts'

const expectNothingGrave = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).include('#archive').analyze()
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}

/** Runs the example so often, and lets something happen after it. */
const runs = (page: Page, count: number): Promise<string[]> =>
  page.evaluate(async (times) => {
    const { workflowId } = await window.flowforge.examples.open({ example: 'delays-by-state' })
    const ids: string[] = []
    for (let n = 0; n < times; n += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one run after the other
      const { runId } = await window.flowforge.runs.start({ workflowId })
      // oxlint-disable-next-line no-await-in-loop -- the same
      await window.flowforge.runs.wait({ runId })
      ids.push(runId)
    }
    await window.flowforge.workflows.create({ name: 'Afterwards' })
    return ids
  }, count)

const readLog = (page: Page) =>
  page.evaluate(async () => ({
    all: await window.db.readAll({ limit: 100_000 }),
    runs: await window.db.readAll({ limit: 100_000, aggregateType: 'run' })
  }))

/** Overwrites the middle of a segment's file, while nobody has the storage open. */
const damage = async (page: Page, baseURL: string, fileName: string): Promise<void> => {
  await page.goto(new URL('/licences.txt', baseURL).href)
  await page.evaluate(async (name) => {
    const root = await navigator.storage.getDirectory()
    const folder = await root.getDirectoryHandle('flowforge-db-blobs')
    const writable = await (await folder.getFileHandle(name)).createWritable({ keepExistingData: true })
    await writable.write({ type: 'write', position: 60, data: 'damaged' })
    await writable.close()
  }, fileName)
}

const shoot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env['SHOTS']
  if (folder === undefined) return
  await page.getByRole('region', { name: 'Archive' }).screenshot({ path: `${folder}/${name}.png` })
}

test.describe('the archive', () => {
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

  test('a person archives what has ended, checks it, reads on as before, and brings it back', async ({
    baseURL
  }) => {
    const page = await openApp(browser, String(baseURL))
    const archive = page.getByRole('region', { name: 'Archive' })
    await page.goto(`${String(baseURL)}/settings#archive`)
    await expect(archive.getByText('Nothing to archive now.')).toBeVisible()
    await expect(archive.getByText('Nothing is archived.')).toBeVisible()
    await expect(archive.getByRole('button', { name: 'Archive now' })).toBeDisabled()
    await shoot(page, 'archive-empty')

    const [runId = ''] = await runs(page, 2)
    const before = await readLog(page)
    await page.reload()
    await expect(archive.getByText(/^2 runs can be archived: \d+ events that take about/)).toBeVisible()
    await archive.getByRole('combobox', { name: 'What to archive' }).click()
    await page.getByRole('option', { name: 'Ended over a week ago' }).click()
    await expect(archive.getByRole('button', { name: 'Archive now' })).toBeDisabled()
    await archive.getByRole('combobox', { name: 'What to archive' }).click()
    await page.getByRole('option', { name: 'Whenever it ended' }).click()
    await archive.getByRole('button', { name: 'Archive now' }).click()
    await expect(archive.getByText(/^\d+ events archived in 1 segment\.$/)).toBeVisible()
    await expect(archive.getByRole('listitem')).toHaveCount(1)
    await archive.getByRole('button', { name: 'Check them' }).click()
    await expect(
      archive.getByText('1 segment read through: every event is as it was archived.')
    ).toBeVisible()
    await expectNothingGrave(page)
    await shoot(page, 'archive-light')
    await page.emulateMedia({ colorScheme: 'dark' })
    await expectNothingGrave(page)
    await shoot(page, 'archive-dark')
    await page.setViewportSize({ width: 390, height: 844 })
    await shoot(page, 'archive-390')
    await page.setViewportSize({ width: 1280, height: 800 })
    await page.emulateMedia({ colorScheme: 'light' })

    expect(await readLog(page)).toEqual(before)
    const other = await openApp(browser, String(baseURL), await browser.newPage())
    expect(await readLog(other)).toEqual(before)
    await other.close()
    await page.reload()
    expect(await readLog(page)).toEqual(before)
    const left = await page.evaluate(async (id) => {
      const sql = 'SELECT count(*) AS n FROM events WHERE aggregate_id = ?'
      const [row] = await window.db.queryProjection({ sql, params: [id] })
      await window.flowforge.projections.rebuild()
      const events = await window.db.loadEvents({ aggregateId: id })
      const runRows = await window.db.queryProjection({ sql: 'SELECT status FROM runs' })
      return { n: row?.['n'], types: events.map(({ eventType }) => eventType), runRows }
    }, runId)
    expect(left).toMatchObject({ n: 0, runRows: [{ status: 'succeeded' }, { status: 'succeeded' }] })
    expect(left.types.at(-1)).toBe('RunSucceeded')

    await archive.getByRole('button', { name: /^Bring back/ }).click()
    await expect(archive.getByText(/^\d+ events brought back into the database\.$/)).toBeVisible()
    await expect(archive.getByText('Nothing is archived.')).toBeVisible()
    expect(await readLog(page)).toEqual(before)
  })

  test('segments go into a folder that the person chooses, from any tab', async ({ baseURL }) => {
    // The browser's own dialog cannot be driven; the folder that it answers with is a real one.
    await browser.addInitScript(() => {
      Object.assign(window, {
        showDirectoryPicker: async () =>
          (await navigator.storage.getDirectory()).getDirectoryHandle('chosen', { create: true })
      })
    })
    const leader = await openApp(browser, String(baseURL))
    await runs(leader, 1)
    const before = await readLog(leader)
    const page = await openApp(browser, `${String(baseURL)}/settings#archive`, await browser.newPage())
    expect((await page.evaluate(() => window.flowforge.status())).role).toBe('follower')
    const archive = page.getByRole('region', { name: 'Archive' })
    await archive.getByRole('button', { name: 'Archive into a folder' }).click()
    await expect(archive.getByText(/In the folder that you chose: flowforge-segment-/)).toBeVisible()
    await expectNothingGrave(page)
    await shoot(page, 'archive-folder')
    expect(await readLog(page)).toEqual(before)
    const folders = await page.evaluate(async () =>
      (await window.flowforge.archive.folders()).map(({ name, isAllowed }) => ({ name, isAllowed }))
    )
    expect(folders).toEqual([{ name: 'chosen', isAllowed: true }])
    await leader.close()
    expect(await readLog(page)).toEqual(before)
    await archive.getByRole('button', { name: /^Bring back/ }).click()
    await expect(archive.getByText('Nothing is archived.')).toBeVisible()
    const left = await page.evaluate(async () => {
      const names: string[] = []
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('chosen')
      for await (const name of folder.keys()) names.push(name)
      return names
    })
    expect(left).toEqual([])
  })

  test('a damaged segment is named, and everything else goes on', async ({ baseURL }) => {
    const page = await openApp(browser, String(baseURL))
    const [runId = ''] = await runs(page, 1)
    const { segments } = await page.evaluate(() => window.flowforge.archive.create())
    const fileName = String(segments[0]?.fileName)
    await damage(page, String(baseURL), fileName)

    await page.goto(`${String(baseURL)}/settings#archive`)
    const archive = page.getByRole('region', { name: 'Archive' })
    await archive.getByRole('button', { name: 'Check them' }).click()
    const alert = archive.getByRole('alert')
    await expect(alert).toContainText(fileName)
    await expect(alert).toContainText(runId)
    await expect(alert).toContainText('Restore a backup')
    await expectNothingGrave(page)
    await shoot(page, 'archive-damaged')

    const answers = await page.evaluate(async (id) => {
      const failure: unknown = await window.db
        .loadEvents({ aggregateId: id })
        .catch((thrown: unknown) => thrown)
      const { workflowId } = await window.flowforge.examples.open({ example: 'delays-by-state' })
      const next = await window.flowforge.runs.start({ workflowId })
      return {
        code: Reflect.get(Object(failure), 'code'),
        message: String(Reflect.get(Object(failure), 'message')),
        end: await window.flowforge.runs.wait(next)
      }
    }, runId)
    expect(answers).toMatchObject({ code: 'CORRUPT', end: { status: 'succeeded' } })
    expect(answers.message).toContain(fileName)
  })

  test('a tab that dies while it archives loses nothing', async ({ baseURL }) => {
    const page = await openApp(browser, String(baseURL))
    await page.evaluate(async () => {
      for (let n = 0; n < 4; n += 1) {
        const aggregateId = `run:${n}`
        // oxlint-disable-next-line no-await-in-loop -- one stream after the other
        await window.db.appendEvents({
          events: Array.from({ length: 3_000 }, (_, index) => ({
            aggregateId,
            eventType: index === 2_999 ? 'RunCanceled' : 'Noted',
            payload: index === 2_999 ? {} : { text: `${index} ${'x'.repeat(100)}` }
          }))
        })
      }
      await window.db.appendEvent({ aggregateId: 'note:1', eventType: 'Noted', payload: {} })
    })
    const before = await readLog(page)
    for (let round = 0; round < 3; round += 1) {
      // oxlint-disable no-await-in-loop -- one end after the other
      await page.evaluate((wanted) => {
        void window.flowforge.archive.create().catch(() => undefined)
        // Some files are there, not all.
        return new Promise<void>((resolve) => {
          const look = async (): Promise<void> => {
            const { segments } = await window.flowforge.archive.list()
            if (segments.length >= wanted) resolve()
            else void look()
          }
          void look()
        })
      }, round)
      await page.reload()
      await page.waitForFunction(() => 'flowforge' in window)
      expect(await readLog(page)).toEqual(before)
      // oxlint-enable no-await-in-loop
    }
    await page.evaluate(() => window.flowforge.archive.create())
    expect(await readLog(page)).toEqual(before)
    const { findings } = await page.evaluate(() => window.flowforge.archive.verify())
    expect(findings).toEqual([])
    expect(await page.evaluate(() => window.flowforge.log.verify())).toMatchObject({ isIntact: true })
  })
})
