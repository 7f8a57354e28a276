import { AxeBuilder } from '@axe-core/playwright'
import { test, type BrowserContext, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser, type Profile } from './app.ts'

/** No test can answer the system's picker: a folder of OPFS stands for the one that a person chooses. */
const chooseInOpfs = async (browser: BrowserContext): Promise<void> => {
  await browser.addInitScript(() => {
    const choose = async (): Promise<FileSystemDirectoryHandle> =>
      (await navigator.storage.getDirectory()).getDirectoryHandle('Backups', { create: true })
    Object.assign(window, { showDirectoryPicker: choose })
  })
}
const filesIn = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    const names: string[] = []
    for await (const name of (await root.getDirectoryHandle('Backups')).keys()) names.push(name)
    return names.toSorted()
  })
const removeFolder = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    await (await navigator.storage.getDirectory()).removeEntry('Backups', { recursive: true })
  })
const expectNothingGrave = async (page: Page): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  expect(grave.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}
const shoot = async (page: Page, name: string): Promise<void> => {
  if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/${name}.png` })
}

test.describe('backups into a folder', () => {
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

  test('are chosen from any tab, made by the one that leads, and go on after a folder was gone', async ({
    baseURL
  }) => {
    await chooseInOpfs(browser)
    const leader = await openApp(browser, String(baseURL))
    await leader.evaluate(() => window.flowforge.examples.open({ example: 'delays-by-state' }))
    const page = await openApp(browser, `${String(baseURL)}/settings#backup`, await browser.newPage())
    expect(await page.evaluate(async () => (await window.flowforge.status()).role)).toBe('follower')
    const backup = page.getByRole('region', { name: 'Backup', exact: true })
    await expect(backup.getByText('No backup was made here yet.')).toBeVisible()
    await backup.getByRole('button', { name: 'Choose a folder' }).click()
    await expect(backup.getByText('in the folder “Backups”')).toBeVisible()
    expect(await filesIn(page)).toEqual([expect.stringMatching(/^flowforge-.+\.sqlite$/)])
    const status = await page.evaluate(() => window.flowforge.status())
    expect(status.lastBackup).toMatchObject({ at: expect.any(String), eventsSince: 0 })
    await backup.getByLabel('Keep the last').fill('3')
    await backup.getByLabel('Keep the last').press('Enter')
    await backup.getByLabel('How often').click()
    await page.getByRole('option', { name: 'After so many events' }).click()
    await expect(backup.getByLabel('Events', { exact: true })).toHaveValue('1000')
    const schedule = () => page.evaluate(async () => (await window.flowforge.backup.status()).schedule)
    await expect.poll(schedule).toMatchObject({ rhythm: { unit: 'events', count: 1_000 }, keep: 3 })
    await expectNothingGrave(page)
    await backup.scrollIntoViewIfNeeded()
    await shoot(page, 'backup-folder')

    await removeFolder(page)
    await backup.getByRole('button', { name: 'Back up into it now' }).click()
    await expect(backup.getByRole('alert')).toContainText('The folder "Backups" for backups is gone.')
    // On every screen, in every tab; the tab that leads looks again by itself, and so is reloaded here.
    await page.getByRole('link', { name: 'Data', exact: true }).first().click()
    const notice = page.getByRole('alert').filter({ hasText: 'No backups are made by themselves' })
    await expect(notice).toBeVisible()
    await expectNothingGrave(page)
    await shoot(page, 'backup-stopped')
    await page.evaluate(async () => {
      await (await navigator.storage.getDirectory()).getDirectoryHandle('Backups', { create: true })
    })
    await notice.getByRole('button', { name: 'Try again' }).click()
    await expect(notice).toBeHidden()
    expect(await filesIn(page)).toHaveLength(1)
  })

  test('outlive a database that was emptied: one click brings the last one back', async ({ baseURL }) => {
    await chooseInOpfs(browser)
    const page = await openApp(browser, `${String(baseURL)}/settings#backup`)
    await page.evaluate(() => window.flowforge.workflows.create({ name: 'Not lost' }))
    await page.getByRole('button', { name: 'Choose a folder' }).click()
    await expect(page.getByText('in the folder “Backups”')).toBeVisible()
    // The note of it, by which an emptied storage is noticed.
    await expect
      .poll(() =>
        page.evaluate(() =>
          ['flowforge-data', 'flowforge-last-backup'].map((key) => localStorage.getItem(key))
        )
      )
      .toEqual([expect.stringMatching(/^1 /), expect.stringContaining('.sqlite')])

    await page.goto(new URL('/licences.txt', String(baseURL)).href)
    await expect(() =>
      page.evaluate(async () => {
        const root = await navigator.storage.getDirectory()
        for await (const name of root.keys()) {
          if (name !== 'Backups') await root.removeEntry(name, { recursive: true })
        }
      })
    ).toPass()
    await page.goto(String(baseURL))
    await expect(page.getByRole('heading', { name: 'What was stored here is gone' })).toBeVisible()
    await expect(page.getByText('in the folder “Backups”')).toBeVisible()
    await expectNothingGrave(page)
    await shoot(page, 'emptied-with-backup')
    expect(await filesIn(page)).toHaveLength(1)
    await page.getByRole('button', { name: 'Restore the last backup' }).click()
    await expect(page.getByText('Not lost').first()).toBeVisible()
    await expect(page.getByRole('heading', { name: 'What was stored here is gone' })).toBeHidden()
  })

  test('are a reminder and a button where the browser lets no page write into a folder', async ({
    baseURL
  }) => {
    await browser.addInitScript(() => {
      Reflect.deleteProperty(window, 'showDirectoryPicker')
    })
    const page = await openApp(browser, `${String(baseURL)}/settings#backup`)
    await page.evaluate(() => window.flowforge.workflows.create({ name: 'Mine' }))
    const backup = page.getByRole('region', { name: 'Backup', exact: true })
    await expect(backup.getByText('This browser lets no page write into a folder')).toBeVisible()
    await expect(backup.getByRole('button', { name: 'Choose a folder' })).toHaveCount(0)
    const reminder = page.getByRole('link', { name: 'No backup yet' })
    await expect(reminder).toBeHidden()
    // Nine days later, in the page alone.
    await page.clock.install({ time: Date.now() + 9 * 24 * 60 * 60_000 })
    await page.reload()
    await page.clock.runFor(11_000)
    await expect(reminder).toBeVisible()
    await expectNothingGrave(page)
    await shoot(page, 'backup-reminder')
    const downloading = page.waitForEvent('download')
    await backup.getByRole('button', { name: 'Save one now' }).click()
    await downloading
    await expect(backup.getByText('Nothing has happened since.')).toBeVisible()
    await expect(page.getByRole('link', { name: /^Backup / })).toBeHidden()
  })
})
