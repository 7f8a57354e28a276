import { AxeBuilder } from '@axe-core/playwright'
import { test, type Page } from '@playwright/test'
import { expect } from './app.ts'

/** Light and dark, wide and narrow: the words are seen, and axe finds nothing grave. */
export const expectScreen = async (page: Page, words: RegExp): Promise<void> => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      await expect(page.getByRole('heading', { name: words })).toBeVisible({ timeout: 25_000 })
      const { violations } = await new AxeBuilder({ page }).include('#main').analyze()
      expect(violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')).toEqual([])
      await test
        .info()
        .attach(`${colorScheme}-${width}`, { body: await page.screenshot(), contentType: 'image/png' })
    }
  }
}
