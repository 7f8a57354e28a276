/** Starts Chromium on a profile of its own, on disk as a person's is, and ends it whatever happens in between. */
import { join } from 'node:path'
import { chromium } from 'playwright'
import { chromiumArguments } from '../scripts/chromium.mjs'

/** Gives `work` a browser on the profile of a name in this run's folder: the same name finds what was stored before. */
export const withBrowser = async (place, profile, work) => {
  const browser = await chromium.launchPersistentContext(join(place.folder, `profile-${profile}`), {
    executablePath: place.executablePath,
    args: chromiumArguments,
    viewport: { width: 1280, height: 800 }
  })
  try {
    return await work(browser)
  } finally {
    await browser.close()
  }
}
