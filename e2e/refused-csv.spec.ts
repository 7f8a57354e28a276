import { AxeBuilder } from '@axe-core/playwright'
import { test, type Page } from '@playwright/test'
import { dropFiles, expect, freshProfile, openApp, openBrowser, serveApp } from './app.ts'

/** Inches stand behind what looks like a closing quote: refused as found. */
const SIZES = `size;item\n${'"3" x 4;pipe\n"5";board\n'.repeat(15)}`
const asFile = (name: string, text: string) => ({
  name,
  type: '',
  base64: Buffer.from(text).toString('base64')
})

/** Walks with Tab to what has the name, as a person without a mouse does. */
const tabTo = async (page: Page, name: string): Promise<void> => {
  await expect
    .poll(async () => {
      await page.keyboard.press('Tab')
      return page.evaluate(() => document.activeElement?.textContent?.trim())
    })
    .toBe(name)
}

for (const look of [
  { colorScheme: 'light', screen: { width: 1280, height: 900 } },
  { colorScheme: 'dark', screen: { width: 390, height: 844 } }
] as const) {
  test(`${look.colorScheme}, ${look.screen.width} wide: a CSV file that is refused is added as a person says it is read`, async () => {
    const profile = freshProfile()
    const server = await serveApp()
    const { browser } = await openBrowser(profile, look)
    const page = await openApp(browser, server.address)
    await page.goto(`${server.address}data`)
    await dropFiles(page, [asFile('sizes.csv', SIZES)])
    const refusal = page.getByRole('listitem').filter({ hasText: 'sizes.csv could not be read' })
    await expect(refusal).toContainText('line 2')
    await page.screenshot({ path: test.info().outputPath('refused.png') })

    // With the keyboard alone: F8 leads to the notes.
    await page.keyboard.press('F8')
    await tabTo(page, 'Read it differently')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: 'Read sizes.csv differently' })
    await expect(dialog).toContainText('a quoted value does not end')
    const add = dialog.getByRole('button', { name: 'Add' })
    await expect(add).toBeDisabled()
    await page.screenshot({ path: test.info().outputPath('dialog.png') })

    const field = (name: string) => dialog.getByLabel(name, { exact: true })
    await field('Delimiter').focus()
    await page.keyboard.type('Comma')
    await expect(dialog).toContainText('30 rows in 1 column, the first 20 of them:')
    await field('Delimiter').selectOption('As found')
    await field('Cells are enclosed by').selectOption('Double quote "')
    await expect(dialog.getByRole('alert')).toContainText('cannot be cut into columns this way')
    await expect(add).toBeDisabled()
    await field('Cells are enclosed by').focus()
    await page.keyboard.type('Nothing')
    await expect(dialog.getByRole('cell', { name: 'pipe', exact: true })).toHaveCount(10)
    // What is chosen while another choice is still being read is what counts.
    for (const delimiter of ['|', '\t', '']) {
      // oxlint-disable-next-line no-await-in-loop -- as fast as a hand can
      await field('Delimiter').selectOption(delimiter)
    }
    await expect(dialog).toContainText('30 rows in 2 columns, the first 20 of them:')
    await expect(dialog.getByRole('cell', { name: '"3" x 4' })).toHaveCount(10)
    await expect(field('Delimiter').locator('option:checked')).toHaveText('As found: Semicolon')
    await page.screenshot({ path: test.info().outputPath('read.png') })
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])

    await add.focus()
    await page.keyboard.press('Enter')
    await expect(dialog).toBeHidden()
    await expect(page.getByRole('heading', { name: 'sizes.csv' })).toBeVisible()
    await expect(page.getByText('cells enclosed by: Nothing')).toBeVisible()
    await expect(page.getByText('"3" x 4').first()).toBeVisible()
    await page.screenshot({ path: test.info().outputPath('added.png') })

    // What other options cannot help is only refused.
    await dropFiles(page, [asFile('broken.json', '[{"a":')])
    const broken = page.getByRole('listitem').filter({ hasText: 'broken.json could not be read' })
    await expect(broken).toBeVisible()
    await expect(broken.getByRole('button', { name: 'Read it differently' })).toHaveCount(0)
    await broken.getByRole('button', { name: 'Close' }).click()

    await page.getByRole('button', { name: 'New workflow from this' }).click()
    await page.waitForURL(/\/workflows\/./)
    await page.getByText('sizes.csv', { exact: true }).last().click()
    await page.getByText('How it is read').click()
    const quote = page.getByLabel('Cells are enclosed by', { exact: true })
    await expect(quote.locator('option:checked')).toHaveText('As added: Nothing')
    await expect(page.getByLabel('A quote inside a cell stands behind')).toBeHidden()
    await page.screenshot({ path: test.info().outputPath('node.png') })
    await browser.close()
    await server.stop()
    profile.remove()
  })
}
