import { AxeBuilder } from '@axe-core/playwright'
import { test, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser } from './app.ts'

const expectNothingGrave = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}
const shoot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env['SHOTS']
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` })
}

const PAGE = 8_192

/** A workflow, and a thousand events beside it; all of it is in the database's file when this answers. */
const fill = async (page: Page, address: string): Promise<void> => {
  await page.evaluate(async () => {
    await window.flowforge.workflows.create({ name: 'Mine' })
    const event = { aggregateId: 'note:1', eventType: 'Noted', payload: { text: 'x'.repeat(2_000) } }
    await window.db.appendEvents({ events: Array.from({ length: 1_000 }, () => event) })
  })
  // Opening writes back what stands in the write-ahead log.
  await page.goto(address)
  await page.evaluate(() => window.flowforge.status())
}

const rootOf = (page: Page, table: string): Promise<number> =>
  page.evaluate(async (name) => {
    const sql = 'SELECT rootpage FROM sqlite_schema WHERE name = ?'
    const [row] = await window.db.queryProjection({ sql, params: [name] })
    return Number(row?.['rootpage'])
  }, table)

/** Zeros pages of the database's file, and the header of its write-ahead log, while the app is left. */
const damage = async (
  page: Page,
  baseURL: string,
  pages: readonly (number | 'middle')[],
  database = '/flowforge.db'
): Promise<void> => {
  await page.goto(new URL('/licences.txt', baseURL).href)
  await expect(() =>
    page.evaluate(
      async ([wanted, pageSize, damaged]) => {
        const root = await navigator.storage.getDirectory()
        const pool = await root.getDirectoryHandle('flowforge-db')
        for await (const folder of pool.values()) {
          if (!(folder instanceof FileSystemDirectoryHandle)) continue
          for await (const handle of folder.values()) {
            if (!(handle instanceof FileSystemFileHandle)) continue
            const file = await handle.getFile()
            // The pool has 4,096 bytes of its own before what SQLite writes.
            const name = (await file.slice(0, 512).text()).replace(/\0.*$/s, '')
            if (!name.startsWith(String(damaged))) continue
            const count = Math.floor((file.size - 4_096) / Number(pageSize))
            const numbers = name.endsWith('-wal')
              ? [1]
              : wanted.map((each) => (each === 'middle' ? Math.floor(count / 2) : each))
            const writable = await handle.createWritable({ keepExistingData: true })
            for (const number of numbers) {
              const position = 4_096 + (number - 1) * Number(pageSize)
              await writable.write({ type: 'write', position, data: new Uint8Array(Number(pageSize)) })
            }
            await writable.close()
          }
        }
      },
      [pages, PAGE, database] as const
    )
  ).toPass()
}

test.describe('a database that is damaged', () => {
  test('does not open, is saved, and salvaged: what could be read is there, and what was lost is told', async ({
    baseURL
  }) => {
    const profile = freshProfile()
    const { browser } = await openBrowser(profile)
    const address = String(baseURL)
    const page = await openApp(browser, address)
    await fill(page, address)
    const root = await rootOf(page, 'schema_migrations')
    await damage(page, address, [root, 'middle'])

    await page.goto(address)
    await expect(page.getByRole('heading', { name: 'The database is damaged' })).toBeVisible()
    await expect(page.getByRole('list', { name: 'Files in this browser' })).toContainText('flowforge.db')
    await expectNothingGrave(page)
    await shoot(page, 'rescue-light')
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save a copy of the file' }).click()
    expect((await download).suggestedFilename()).toBe('flowforge-as-found.db')

    await page.getByRole('button', { name: 'Salvage what can be read' }).click()
    await expect(page.getByRole('heading', { name: 'What could be read is in place' })).toBeFocused()
    await expect(page.getByRole('heading', { name: 'What could not be read' })).toBeVisible()
    await expect(page.getByText(/^events: not readable: /)).toBeVisible()
    await expect(page.getByText(/^note:1: [\d,]+ of 1,000 events$/)).toBeVisible()
    await expectNothingGrave(page)
    await shoot(page, 'salvaged-light')
    await page.getByRole('button', { name: 'Open FlowForge' }).click()
    await expect(page.getByRole('link', { name: 'Mine' }).first()).toBeVisible()
    const kept = await page.evaluate(async () => (await window.flowforge.backup.status()).kept)
    expect(kept).toMatchObject([{ kind: 'damaged', file: '/flowforge.db' }])
    const notes = await page.evaluate(() => window.db.loadEvents({ aggregateId: 'note:1' }))
    expect(notes.length).toBeGreaterThan(900)
    expect(notes.length).toBeLessThan(1_000)
    await browser.close()
    profile.remove()
  })

  test('is in use again where the record of which file it is was damaged; every other file stays', async ({
    baseURL
  }) => {
    const profile = freshProfile()
    const { browser } = await openBrowser(profile)
    const address = String(baseURL)
    const page = await openApp(browser, address)
    await fill(page, address)
    await page.evaluate(async () => {
      const backup = await window.flowforge.backup.create()
      await window.flowforge.backup.restore({ file: new File([await backup.arrayBuffer()], backup.name) })
      await window.flowforge.workflows.create({ name: 'Since then' })
    })
    await damage(page, address, [1], '/shelf.db')

    await page.goto(address)
    await expect(
      page.getByRole('heading', { name: 'Which database file is in use is not known' })
    ).toBeVisible()
    await expect(page.getByRole('list', { name: 'Files in this browser' })).toContainText('restored-1.db')
    await expect(page.getByRole('button', { name: 'Salvage what can be read' })).toBeHidden()
    await expectNothingGrave(page)
    await shoot(page, 'unlisted-light')
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.setViewportSize({ width: 390, height: 844 })
    await expectNothingGrave(page)
    await shoot(page, 'unlisted-dark-390')
    await page.getByRole('button', { name: 'Find the newest database' }).click()
    await expect(page.getByRole('heading', { name: 'The newest database is in use again' })).toBeFocused()
    await expect(page.getByText(/restored-1\.db is the one that was written to last/)).toBeVisible()
    await expectNothingGrave(page)
    await shoot(page, 'found-dark-390')
    await page.getByRole('button', { name: 'Open FlowForge' }).click()
    await expect(page.getByRole('link', { name: 'Since then' }).first()).toBeVisible()
    const kept = await page.evaluate(async () => (await window.flowforge.backup.status()).kept)
    expect(kept).toMatchObject([{ kind: 'before-restore', file: '/flowforge.db' }])
    await browser.close()
    profile.remove()
  })

  test('that a check has found is rescued from the settings: a backup takes its place', async ({
    baseURL
  }) => {
    const profile = freshProfile()
    const screen = { width: 390, height: 844 }
    const { browser } = await openBrowser(profile, { screen, colorScheme: 'dark' })
    const address = String(baseURL)
    const page = await openApp(browser, address)
    await fill(page, address)
    const root = await rootOf(page, 'runs')
    const settings = new URL('/settings', address).href
    await page.goto(settings)
    const download = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Save a backup' }).first().click()
    const backup = await (await download).path()
    await damage(page, address, [root])

    await page.goto(settings)
    const health = page.getByRole('region', { name: 'Health' })
    await health.getByRole('button', { name: 'Check the database' }).click()
    await health.getByRole('button', { name: 'Salvage' }).click()
    await expect(page.getByRole('heading', { name: 'The database is damaged' })).toBeVisible()
    await expect(page.getByText('left closed so that it can be rescued')).toBeVisible()
    await expect(page.getByRole('list', { name: 'Files in this browser' })).toContainText('flowforge.db')
    await expectNothingGrave(page)
    await shoot(page, 'rescue-dark-390')
    await page.getByLabel('Backup file').setInputFiles(backup)
    await expect(page.getByRole('heading', { name: 'The backup is in place' })).toBeFocused()
    await expect(page.getByText('1,001 events')).toBeVisible()
    await expectNothingGrave(page)
    await shoot(page, 'restored-dark-390')
    await page.getByRole('button', { name: 'Open FlowForge' }).click()
    await page.waitForFunction(() => 'flowforge' in window)
    const { isSound } = await page.evaluate(() => window.flowforge.health.check())
    expect(isSound).toBe(true)
    await browser.close()
    profile.remove()
  })
})
