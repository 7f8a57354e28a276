import { AxeBuilder } from '@axe-core/playwright'
import { test, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser } from './app.ts'

const expectNothingGrave = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}

/** Leaves the app for a file of the same origin: nobody holds the storage there, and it can be reached into. */
const leaveApp = (page: Page, baseURL: string) => page.goto(new URL('/licences.txt', baseURL).href)

/** Exchanges a text for another of the same length in the database's file, as no door of the app allows. */
const forge = (page: Page, from: string, to: string): Promise<boolean> =>
  page.evaluate(
    async ([wanted, wrong]) => {
      const root = await navigator.storage.getDirectory()
      const pool = await root.getDirectoryHandle('flowforge-db')
      for await (const folder of pool.values()) {
        if (!(folder instanceof FileSystemDirectoryHandle)) continue
        for await (const handle of folder.values()) {
          if (!(handle instanceof FileSystemFileHandle)) continue
          const bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer())
          const text = new TextDecoder('latin1').decode(bytes)
          const at = text.indexOf(String(wanted))
          // The pool has 4,096 bytes of its own before the database's first page; what lies in the WAL has checksums.
          if (!text.startsWith('SQLite format 3', 4_096) || at === -1) continue
          const writable = await handle.createWritable({ keepExistingData: true })
          await writable.write({ type: 'write', position: at, data: String(wrong) })
          await writable.close()
          return true
        }
      }
      return false
    },
    [from, to]
  )

test.describe('the history log', () => {
  test('is checked on demand, and one letter that was changed in its file is named', async ({ baseURL }) => {
    const profile = freshProfile()
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    await page.evaluate(async () => {
      for (let batch = 0; batch < 3; batch += 1) {
        await window.db.appendEvents({
          events: Array.from({ length: 1_000 }, (_, index) => ({
            aggregateId: `note:${index % 10}`,
            eventType: 'Noted',
            payload: { text: `needle ${batch * 1_000 + index + 1}.`, filler: 'x'.repeat(2_000) }
          }))
        })
      }
    })
    const log = page.getByRole('region', { name: 'History log' })
    await page.goto(new URL('/settings', String(baseURL)).href)
    await log.getByRole('button', { name: 'Check now' }).click()
    await expect(log.getByText('3,000 events checked: the log is as it was written.')).toBeVisible()
    await expect(log.locator('code')).toHaveText(/^[0-9a-f]{64}$/)
    await expectNothingGrave(page)

    await leaveApp(page, String(baseURL))
    await expect(async () => {
      expect(await forge(page, 'needle 500.', 'noodle 500.')).toBe(true)
    }).toPass()
    await page.goto(new URL('/settings', String(baseURL)).href)
    await log.getByRole('button', { name: 'Check now' }).click()
    await expect(log.getByRole('alert')).toContainText(/Event 500 \(.+\) is not the one that was sealed\./)
    await expectNothingGrave(page)
    if (process.env['SHOTS']) await log.screenshot({ path: `${process.env['SHOTS']}/log-differs.png` })
    await browser.close()
    profile.remove()
  })
})

/** Writes bytes over those of a file in OPFS, at the top folder or in the database's pool. */
const overwrite = (page: Page, file: 'mark' | 'database', at: number, bytes: number[]): Promise<void> =>
  page.evaluate(
    async ([which, position, data]) => {
      const write = async (handle: FileSystemFileHandle): Promise<void> => {
        const writable = await handle.createWritable({ keepExistingData: true })
        await writable.write({ type: 'write', position: Number(position), data: Uint8Array.from(data) })
        await writable.close()
      }
      const root = await navigator.storage.getDirectory()
      if (which === 'mark') return write(await root.getFileHandle('flowforge-db.mark'))
      const pool = await root.getDirectoryHandle('flowforge-db')
      for await (const folder of pool.values()) {
        if (!(folder instanceof FileSystemDirectoryHandle)) continue
        for await (const handle of folder.values()) {
          if (!(handle instanceof FileSystemFileHandle)) continue
          const start = await (await handle.getFile()).slice(4_096, 4_112).text()
          if (start.startsWith('SQLite format 3')) return write(handle)
        }
      }
      throw new Error('There is no database in the pool.')
    },
    [file, at, bytes] as const
  )

test.describe('the health of the database', () => {
  test('an end in the middle of work has the file checked by itself, and damage is said on every screen', async ({
    baseURL
  }) => {
    const profile = freshProfile()
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const settings = new URL('/settings', String(baseURL)).href
    const runsRoot = await page.evaluate(async () => {
      // Enough for the WAL to have been written back into the file, several times over.
      for (let batch = 0; batch < 6; batch += 1) {
        const event = { aggregateId: 'note:1', eventType: 'Noted', payload: { text: 'x'.repeat(4_000) } }
        await window.db.appendEvents({ events: Array.from({ length: 1_000 }, () => event) })
      }
      const [row] = await window.db.queryProjection({
        sql: `SELECT rootpage FROM sqlite_schema WHERE name = 'runs'`
      })
      return Number(row?.['rootpage'])
    })

    await leaveApp(page, String(baseURL))
    await expect(() => overwrite(page, 'mark', 0, [0x77])).toPass()
    await page.goto(settings)
    const health = page.getByRole('region', { name: 'Health' })
    await expect(health.getByText('cut off in the middle of its work')).toBeVisible()
    await expect(health.getByText('the database is sound')).toBeVisible({ timeout: 20_000 })
    await expect(health.getByRole('list', { name: 'Reports' }).getByText('Sound')).toBeVisible()
    await expectNothingGrave(page)

    await leaveApp(page, String(baseURL))
    // A page of zeros where the table of runs begins; pages have 8,192 bytes.
    await expect(() =>
      overwrite(
        page,
        'database',
        4_096 + (runsRoot - 1) * 8_192,
        Array.from({ length: 8_192 }, () => 0)
      )
    ).toPass()
    await page.goto(settings)
    await health.getByRole('button', { name: 'Check the database' }).click()
    await expect(health.getByRole('alert')).toContainText('The database is damaged')
    await expect(health.getByRole('alert')).toContainText('runs:')
    await expectNothingGrave(page)
    if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/damaged.png` })
    await page.getByRole('link', { name: 'Data', exact: true }).first().click()
    await expect(page.getByText('The database is damaged.')).toBeVisible()
    await browser.close()
    profile.remove()
  })

  test('a full storage says so, lets a person delete, and works again; nothing that was saved is lost', async ({
    baseURL
  }) => {
    const profile = freshProfile()
    const { browser } = await openBrowser(profile)
    const page = await openApp(browser, String(baseURL))
    const origin = new URL(String(baseURL)).origin
    const session = await browser.newCDPSession(page)
    const importNumbers = (name: string, megabytes: number) =>
      page.evaluate(
        async ([fileName, size]) => {
          const line = `${'1234567,'.repeat(12)}1\n`
          const rows = line.repeat(Math.ceil((Number(size) * 1_000_000) / line.length))
          const header = `${Array.from({ length: 13 }, (_, index) => `c${index}`).join(',')}\n`
          const file = new File([header, rows], String(fileName), { type: 'text/csv' })
          return (await window.flowforge.sources.importFile({ file })).dataSourceId
        },
        [name, megabytes] as const
      )
    const reserve = (): Promise<number> =>
      page.evaluate(async () => {
        const root = await navigator.storage.getDirectory()
        for await (const [name, handle] of root.entries()) {
          if (name !== 'flowforge-db.reserve' || !(handle instanceof FileSystemFileHandle)) continue
          return (await handle.getFile()).size
        }
        return 0
      })
    await expect.poll(reserve).toBe(16 * 1024 * 1024)
    const large = await importNumbers('large.csv', 60)

    // What is still being kept for offline use would take the room that the reserve gives up.
    await expect(page.getByText('Ready offline')).toBeVisible({ timeout: 60_000 })
    const measure = async (): Promise<number> => (await page.evaluate(() => window.flowforge.status())).usage
    let usage = -1
    await expect
      .poll(
        async () => {
          const before = usage
          usage = await measure()
          return usage - before
        },
        { intervals: [1_000], timeout: 60_000 }
      )
      .toBe(0)
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 3_000_000 })
    // Fills what is left, event by event, until one is refused.
    const { saved, refusal } = await page.evaluate(async () => {
      const kept: string[] = []
      for (;;) {
        try {
          const event = {
            aggregateId: 'note:full',
            eventType: 'Noted',
            payload: { text: 'x'.repeat(200_000) }
          }
          kept.push((await window.db.appendEvent(event)).id)
        } catch (thrown) {
          const { code, details } = Object(thrown)
          return { saved: kept, refusal: { code, details, message: String(thrown) } }
        }
      }
    })
    expect(refusal, refusal.message).toMatchObject({ code: 'STORAGE_FULL' })
    expect(refusal.message).toContain('The storage is full. Delete results or sources')
    expect(saved.length).toBeGreaterThan(0)
    await expect(page.getByRole('alert').getByText('The storage is full.')).toBeVisible()
    await expectNothingGrave(page)
    if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/full.png` })
    expect(await reserve()).toBe(0)
    // The reserve is for deleting and exporting, not for new files.
    await expect(importNumbers('more.csv', 1)).rejects.toThrow('nothing new is taken in')
    await page.evaluate((dataSourceId) => window.flowforge.sources.remove({ dataSourceId }), large)
    await expect(page.getByText('The storage is full.')).toBeHidden({ timeout: 20_000 })
    expect(await reserve()).toBe(16 * 1024 * 1024)

    await importNumbers('more.csv', 1)
    const found = await page.evaluate(async () => ({
      events: await window.db.loadEvents({ aggregateId: 'note:full' }),
      report: await window.flowforge.log.verify()
    }))
    expect(found.events.map((event) => event.id)).toEqual(saved)
    expect(found.report.isIntact).toBe(true)
    await browser.close()
    profile.remove()
  })
})

test.describe('a storage that was emptied', () => {
  const empty = async (page: Page, baseURL: string, alsoLocalStorage: boolean): Promise<void> => {
    await leaveApp(page, baseURL)
    await expect(() =>
      page.evaluate(async (isAll) => {
        const root = await navigator.storage.getDirectory()
        for await (const name of root.keys()) await root.removeEntry(name, { recursive: true })
        if (isAll) localStorage.clear()
      }, alsoLocalStorage)
    ).toPass()
  }

  test('is noticed, also when only a cookie is left, and is not when there never was anything', async ({
    baseURL
  }) => {
    const profile = freshProfile()
    const { browser } = await openBrowser(profile)
    const address = String(baseURL)
    const page = await openApp(browser, address)
    const heading = page.getByRole('heading', { name: 'What was stored here is gone' })
    const asked = () => page.evaluate(() => localStorage.getItem('flowforge-persist-asked'))
    await expect(page.getByText('Your workflows will be listed here')).toBeVisible()
    await expect(heading).toBeHidden()
    expect(await asked()).toBeNull()
    await page.evaluate(() => window.flowforge.workflows.create({ name: 'Mine' }))
    // Asked once there is something to lose.
    await expect.poll(asked).not.toBeNull()
    await expect.poll(() => page.evaluate(() => document.cookie)).toContain('flowforge-data=1')

    await empty(page, address, false)
    await page.goto(address)
    await expect(heading).toBeVisible()
    await expect(page.getByText('Events: 1, the first of')).toBeVisible()
    await expectNothingGrave(page)
    if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/emptied.png` })
    await page.getByRole('link', { name: 'Restore a backup' }).click()
    await expect(page).toHaveURL(/settings#backup$/)
    await page.getByRole('button', { name: 'Start fresh' }).click()
    await expect(heading).toBeHidden()
    await page.goto(address)
    await expect(page.getByText('Your workflows will be listed here')).toBeVisible()
    await expect(heading).toBeHidden()

    await page.evaluate(() => window.flowforge.workflows.create({ name: 'Mine again' }))
    await expect.poll(() => page.evaluate(() => document.cookie)).toContain('flowforge-data=1')
    await empty(page, address, true)
    await page.goto(address)
    await expect(page.getByText('There was data of yours in this browser.')).toBeVisible()
    await browser.close()
    profile.remove()
  })
})
