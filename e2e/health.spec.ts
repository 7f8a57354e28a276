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
