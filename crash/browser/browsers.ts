import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer, { type Browser, type Page } from 'puppeteer-core'
import { chromiumArguments, chromiumPath } from '../../scripts/chromium.mjs'

export const BROWSERS = ['chromium', 'firefox'] as const
export type BrowserName = (typeof BROWSERS)[number]

/** Firefox is spoken to by WebDriver BiDi, as it comes: no driver, and no build of its own. */
const firefoxPath = (): string | undefined =>
  [process.env['FIREFOX_PATH'], '/usr/bin/firefox', '/usr/bin/firefox-esr'].find(
    (path) => path !== undefined && path !== '' && existsSync(path)
  )

const launch = (name: BrowserName, profile: string): Promise<Browser> => {
  const executablePath = name === 'chromium' ? chromiumPath() : firefoxPath()
  if (executablePath === undefined) throw new Error(`There is no ${name} on this machine.`)
  return puppeteer.launch({
    browser: name === 'chromium' ? 'chrome' : 'firefox',
    executablePath,
    userDataDir: profile,
    args: name === 'chromium' ? chromiumArguments : [],
    protocolTimeout: 120_000
  })
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What a browser that was killed leaves may be in the way of the next for a moment. */
const launchAgain = async (name: BrowserName, profile: string, attempts = 3): Promise<Browser> => {
  try {
    return await launch(name, profile)
  } catch (thrown) {
    if (attempts <= 1) throw thrown
    await pause(500)
    return launchAgain(name, profile, attempts - 1)
  }
}

/** A browser over one profile that is started anew whenever it has been killed. */
export type KeptBrowser = {
  readonly version: () => Promise<string>
  readonly open: (address: string) => Promise<Page>
  /** Kills the whole browser at once, as the machine would. Every page goes with it. */
  readonly kill: () => Promise<void>
  readonly end: () => Promise<void>
}

export const keepBrowser = (name: BrowserName): KeptBrowser => {
  const profile = mkdtempSync(join(tmpdir(), `flowforge-crash-${name}-`))
  let current: Promise<Browser> | null = null
  const browser = (): Promise<Browser> => (current ??= launchAgain(name, profile))

  const kill = async (): Promise<void> => {
    const running = await browser()
    const child = running.process()
    current = null
    if (child?.pid === undefined || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    // The group that it leads, which the launcher made for it: its renderers die in the same moment.
    process.kill(-child.pid, 'SIGKILL')
    await gone
    // The launcher puts the profile's own settings back: the next start must not come in between.
    await Promise.race([running.close().catch(() => undefined), pause(3_000)])
  }

  return {
    version: async () => (await browser()).version(),
    open: async (address) => {
      const page = await (await browser()).newPage()
      await page.goto(address)
      return page
    },
    kill,
    end: async () => {
      if (current !== null) await kill()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    }
  }
}
