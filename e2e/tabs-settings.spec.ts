import { test, type Page } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser } from './app.ts'
import { openTab, roleOf } from './tabs.ts'

/** A workflow with a run that has ended, and something after it. */
const work = (page: Page) =>
  page.evaluate(async () => {
    const { workflowId } = await window.flowforge.examples.open({ example: 'delays-by-state' })
    const { runId } = await window.flowforge.runs.start({ workflowId })
    await window.flowforge.runs.wait({ runId })
    await window.db.appendEvent({ aggregateId: 'note:1', eventType: 'Noted', payload: {} })
  })
const eventsIn = (page: Page) =>
  page.evaluate(async () => (await window.db.readAll({ limit: 1_000 })).map(({ id }) => id))

test('everything in the settings works in a tab that follows, and the tab that leads goes on', async ({
  baseURL
}) => {
  const profile = freshProfile()
  const { browser } = await openBrowser(profile)
  const leader = await openApp(browser, String(baseURL))
  await work(leader)
  const page = await openTab(browser, `${String(baseURL)}/settings`)
  expect(await roleOf(page)).toBe('follower')
  const region = (name: string) => page.getByRole('region', { name, exact: true })

  await expect(region('Storage').getByText('follower')).toBeVisible()
  await region('Storage').getByRole('button', { name: 'Rebuild' }).first().click()
  await expect(region('Storage').getByText('off until it is asked')).toHaveCount(1)

  const downloading = page.waitForEvent('download')
  await region('Backup').getByRole('button', { name: 'Save a backup' }).click()
  const saved = await (await downloading).path()
  await expect(region('Backup').getByText('No backup was made here yet.')).toBeHidden()

  await region('Health').getByRole('button', { name: 'Check the database' }).click()
  await expect(region('Health').getByText(/sound/i).first()).toBeVisible()
  await region('History log').getByRole('button', { name: 'Check now' }).click()
  await expect(region('History log').getByText('the log is as it was written.')).toBeVisible()

  const before = await eventsIn(leader)
  await region('Archive').getByRole('button', { name: 'Archive now' }).click()
  await expect(region('Archive').getByText(/events archived in 1 segment\.$/)).toBeVisible()
  await region('Archive').getByRole('button', { name: 'Check them' }).click()
  await expect(region('Archive').getByText('every event is as it was archived.')).toBeVisible()
  expect(await eventsIn(leader)).toEqual(before)
  await region('Archive')
    .getByRole('button', { name: /^Bring back/ })
    .click()
  await expect(region('Archive').getByText('Nothing is archived.')).toBeVisible()

  const activity = region('Read models').getByRole('listitem').filter({ hasText: 'workflow-activity' })
  await activity.getByRole('button', { name: 'Pause' }).click()
  await activity.getByRole('button', { name: 'Resume' }).click()
  await expect(activity.getByText('Up to date')).toBeVisible()
  await activity.getByRole('button', { name: 'Rebuild' }).click()
  await expect(activity.getByText('Up to date')).toBeVisible()

  await page.evaluate(() => window.db.appendEvent({ aggregateId: 'note:2', eventType: 'Noted', payload: {} }))
  const after = await eventsIn(leader)
  await region('Backup').locator('input[type=file]').setInputFiles(saved)
  await region('Backup').getByRole('button', { name: 'Restore it' }).click()
  await expect(region('Backup').getByText('The backup is in place')).toBeVisible()
  for (const tab of [page, leader]) expect(await eventsIn(tab)).toEqual(before)
  await region('Backup').getByRole('button', { name: 'Undo the last restore' }).click()
  await expect(region('Backup').getByText('is back')).toBeVisible()
  for (const tab of [page, leader]) expect(await eventsIn(tab)).toEqual(after)
  expect([await roleOf(leader), await roleOf(page)]).toEqual(['leader', 'follower'])
  await browser.close()
  profile.remove()
})
