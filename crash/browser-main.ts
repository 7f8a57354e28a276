import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { BROWSERS, keepBrowser, type BrowserName, type KeptBrowser } from './browser/browsers.ts'
import { KILLS, runChain } from './browser/chain.ts'
import { appendFromManyTabs, closeAllButOne } from './browser/many-tabs.ts'
import { SCENARIOS } from './browser/scenarios.ts'
import { buildPage, servePage } from './browser/serve.ts'
import { createTally, type Tally } from './browser/tally.ts'
import type { Fault } from './faults/fault.ts'
import { toTable, whereAndWhen, writeSection } from './report.ts'

const fixtures = join(import.meta.dirname, '../src/db/migrations/fixtures')

const readFixtures = (): Record<string, Buffer> =>
  Object.fromEntries(
    readdirSync(fixtures).map((file, at) => [
      `/before-${at}.sqlite`,
      gunzipSync(readFileSync(join(fixtures, file)))
    ])
  )

/** Serves the harness's page to a browser that is kept for as long as `use` takes. */
const withBrowser = async <T>(
  name: BrowserName,
  fault: Fault | undefined,
  use: (given: {
    browser: KeptBrowser
    port: number
    fixtures: number
    listen: (hear: (told: unknown) => void) => void
  }) => Promise<T>
): Promise<T> => {
  const dist = mkdtempSync(join(tmpdir(), 'flowforge-crash-page-'))
  await buildPage(dist, fault)
  let hear: (told: unknown) => void = () => undefined
  const files = readFixtures()
  const server = await servePage({ dist, files, onTold: (told) => hear(told) })
  const browser = keepBrowser(name)
  try {
    return await use({
      browser,
      port: server.port,
      fixtures: Object.keys(files).length,
      listen: (listener) => {
        hear = listener
      }
    })
  } finally {
    await browser.end()
    await server.stop()
    rmSync(dist, { recursive: true, force: true })
  }
}

/** Kills a browser's program until it was killed so often, or something was found where `stopsAtFailure`. */
export const killInBrowser = async (args: {
  name: BrowserName
  seed: number
  kills: number
  fault?: Fault
  stopsAtFailure?: boolean
  onChain?: (tally: Tally, version: string) => Promise<void>
}): Promise<{ tally: Tally; version: string }> => {
  const { name, seed, kills, fault, stopsAtFailure = false, onChain = async () => undefined } = args
  const tally = createTally()
  return withBrowser(name, fault, async ({ browser, ...rest }) => {
    const version = await browser.version()
    for (let next = seed; tally.kills < kills; next += 1) {
      await runChain({ name, browser, ...rest, seed: next, tally, kills: kills - tally.kills })
      await onChain(tally, version)
      if (stopsAtFailure && tally.failures.length > 0) break
    }
    return { tally, version }
  })
}

const report = (name: BrowserName, version: string, seed: number, tally: Tally): Promise<void> => {
  const rows = SCENARIOS.map((scenario) => {
    const counted = tally.scenarios.get(scenario)
    return [scenario, ...KILLS.map((how) => counted?.kills.get(how) ?? 0), counted?.met ?? 0]
  })
  const body = [
    `${whereAndWhen()}; ${version}; seed ${seed}; ${tally.kills} kills, after which everything was checked ${tally.verified} times; ${tally.events} events asked for; ${tally.failures.length} failures.`,
    toTable(
      ['in', 'worker terminated', 'page closed', 'page crashed', 'browser killed', 'met it under way'],
      rows
    )
  ]
  return writeSection(name === 'chromium' ? 'Chromium' : 'Firefox', body.join('\n\n'))
}

const print = (name: BrowserName, { seed, steps, message }: Tally['failures'][number]): void => {
  console.error(`FAILED; again: npm run crash -- --browser ${name} --seed ${seed} --kills 16`)
  console.error(`  after ${steps.join(', ')}`)
  for (const line of message.split('\n').slice(0, 8)) console.error(`    ${line.slice(0, 500)}`)
}

/** From so many kills on a run is one to report. */
const WORTH_REPORTING = 50

const toBrowserName = (given: string): BrowserName => {
  const name = BROWSERS.find((each) => each === given)
  if (name !== undefined) return name
  throw new Error(`There is no browser "${given}". There are ${BROWSERS.join(', ')}.`)
}

/** Many tabs at once, while whoever leads is killed or closed. Answers with the exit code. */
export const runManyTabs = async (args: { browser: string; tabs: number }): Promise<number> => {
  const name = toBrowserName(args.browser)
  return withBrowser(name, undefined, async ({ browser, port, listen }) => {
    const version = await browser.version()
    const many = await appendFromManyTabs({ browser, listen, address: `http://many.localhost:${port}/` })
    console.log(`8 tabs: ${many.events} events, ${many.kills} kills`, many.problems)
    const closed = await closeAllButOne({
      browser,
      tabs: args.tabs,
      address: `http://closed.localhost:${port}/`
    })
    console.log(`${closed.tabs} tabs opened, ${closed.tabs - 1} closed`, closed.problems)
    const toWords = (problems: readonly string[]): string =>
      problems.length === 0 ? 'none' : problems.join('; ')
    const body = [
      `${whereAndWhen()}; ${version}.`,
      toTable(
        ['scenario', 'what is there', 'problems'],
        [
          [
            `8 tabs append 1,000 events each while whoever leads is killed ${many.kills} times`,
            `${many.events} events, each once and in its tab’s order`,
            toWords(many.problems)
          ],
          [
            `${closed.tabs} tabs are opened, ${closed.tabs - 1} are closed`,
            'the last one leads, appends, and has every event',
            toWords(closed.problems)
          ]
        ]
      )
    ]
    await writeSection('Many tabs', body.join('\n\n'))
    return many.problems.length + closed.problems.length === 0 && many.events === 8_000 ? 0 : 1
  })
}

/** Seeded kills in a real browser. Answers with the exit code. */
export const runInBrowser = async (args: {
  browser: string
  seed: number
  kills: number
}): Promise<number> => {
  const { seed, kills } = args
  const name = toBrowserName(args.browser)
  const started = performance.now()
  let shown = 0
  const { tally } = await killInBrowser({
    name,
    seed,
    kills,
    onChain: async (known, browserVersion) => {
      const { kills: done, verified, failures } = known
      const seconds = Math.round((performance.now() - started) / 1000)
      console.log(
        `${name}: ${done} of ${kills} kills, checked ${verified} times, ${failures.length} failures, ${seconds} s`
      )
      for (const failure of failures.slice(shown)) print(name, failure)
      shown = failures.length
      // As it goes on: a long run that is ended leaves what it has found.
      if (done >= WORTH_REPORTING) await report(name, browserVersion, seed, known)
    }
  })
  return tally.failures.length === 0 ? 0 : 1
}
