import { AxeBuilder } from '@axe-core/playwright'
import { test } from '@playwright/test'
import { expect, freshProfile, openApp, openBrowser } from './app.ts'
import { pressRun } from './drawing.ts'

test('a person sets how much memory runs may take, and a run says what it was', async ({ baseURL }) => {
  const profile = freshProfile()
  const { browser } = await openBrowser(profile)
  const page = await openApp(browser, String(baseURL))
  const settings = new URL('/settings', String(baseURL)).href
  const { workflowId } = await page.evaluate(() =>
    window.flowforge.examples.open({ example: 'order-decisions' })
  )
  await page.goto(settings)
  const field = page.getByRole('region', { name: 'Runs' }).getByRole('textbox', { name: 'Memory' })
  await expect(field).toHaveValue('2000')
  await field.fill('100')
  await field.press('Enter')
  await expect(page.getByText('Between 256 and 3000 MB; 2.0 GB goes on holding.')).toBeVisible()
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
  await field.fill('512')
  await field.press('Enter')
  await expect(page.getByText('goes on holding')).toBeHidden()
  await page.reload()
  await expect(field).toHaveValue('512')

  await page.goto(new URL(`/workflows/${workflowId}`, String(baseURL)).href)
  const runId = await pressRun(page)
  await page.goto(new URL(`/runs/${runId}`, String(baseURL)).href)
  await expect(page.getByText(/at the most, of a budget of 512 MB/)).toBeVisible()
  await browser.close()
  profile.remove()
})
