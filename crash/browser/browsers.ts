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
  const browser = (): Promise<Browser> => (current ??= launch(name, profile))

  const kill = async (): Promise<void> => {
    const running = await browser()
    const child = running.process()
    current = null
    if (child?.pid === undefined || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    // The group that it leads, which the launcher made for it: its renderers die in the same moment.
    process.kill(-child.pid, 'SIGKILL')
    await gone
    await running.disconnect().catch(() => undefined)
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
