import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'puppeteer-core'
import { build, preview } from 'vite'
import { keepBrowser, type KeptBrowser } from './browser/browsers.ts'
import { createRandom } from './random.ts'
import { toCounts, toTable, whereAndWhen, writeSection } from './report.ts'
import * as inPage from './work/in-page.ts'
import { carryOutKilled, type KilledRun, type WorkBrowser, type WorkTab } from './work/killed-run.ts'
import { startPeopleService } from './work/people-service.ts'
import { createPeopleWork, type WorkSize } from './work/people-work.ts'

type How = 'tab closed' | 'tab crashed' | 'browser killed'

/** Builds the app and serves it, as a person gets it, on a port of its own. */
const serveBuiltApp = async (): Promise<{ address: string; stop: () => Promise<void> }> => {
  const outDir = mkdtempSync(join(tmpdir(), 'flowforge-crash-app-'))
  await build({ logLevel: 'error', build: { outDir, emptyOutDir: true } })
  const server = await preview({
    build: { outDir },
    preview: { host: 'localhost', port: 0 },
    logLevel: 'error'
  })
  const address = server.resolvedUrls?.local[0]
  if (address === undefined) throw new Error('The app is served on no local address.')
  return {
    address,
    stop: async () => {
      await server.close()
      rmSync(outDir, { recursive: true, force: true })
    }
  }
}

const crash = async (page: Page): Promise<void> => {
  const session = await page.createCDPSession()
  const crashed = new Promise((resolve) => void page.once('error', resolve))
  // It is never answered: nobody is left who could.
  session.send('Page.crash').catch(() => undefined)
  await crashed
  await page.close().catch(() => undefined)
}

const workBrowser = (kept: KeptBrowser, address: string): WorkBrowser<How> => {
  const pages = new Map<WorkTab, Page>()
  return {
    open: async () => {
      const page = await kept.open(address)
      await page.waitForFunction(() => 'flowforge' in window)
      const tab: WorkTab = {
        evaluate: <Given, Answer>(work: (given: Given) => Promise<Answer>, given: Given) =>
          // The library's type thinks that an argument could be a handle, which ours never is.
          page.evaluate(work as (given: unknown) => Promise<Answer>, given)
      }
      pages.set(tab, page)
      await tab.evaluate(inPage.opened, undefined)
      return tab
    },
    kill: async (tab, how) => {
      const page = pages.get(tab)
      pages.delete(tab)
      if (how === 'browser killed') await kept.kill()
      else if (page !== undefined) await (how === 'tab crashed' ? crash(page) : page.close())
    }
  }
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`
const middle = (list: readonly number[]): number =>
  list.toSorted((left, right) => left - right)[Math.floor(list.length / 2)] ?? 0
const number = (value: number): string => value.toLocaleString('en')

const report = (version: string, { seed, orders, people }: WorkSize, run: KilledRun<How>): string => {
  const { verdict, kills, problems } = run
  const { requests, answers, answeredAgain, statuses } = verdict
  const times = [...kills.values()].reduce((sum, each) => sum + each, 0)
  const ends = toCounts(
    [...statuses].map(([status, of]) => [status === null ? 'no answer' : String(status), of] as const)
  )
  const rows: [string, string][] = [
    ['work', `${number(orders)} orders in xlsx, ${number(people)} people of a service, two results`],
    ['killed', `${times} times on the way: ${toCounts(kills)}`],
    ['requests in the service’s log', `${number(requests)}: ${ends}`],
    [
      'people answered with 200',
      `${number(answers - answeredAgain)}; ${number(answeredAgain)} of them once more, because a kill came between the answer and the ledger’s commit`
    ],
    [
      'asked for again after the ledger had the answer',
      problems.some((each) => each.startsWith('asked')) ? 'see below' : '0'
    ],
    [
      'results',
      problems.some((each) => each.includes('oracle')) ? 'differ' : 'equal to the oracle’s to the byte'
    ],
    [
      'time',
      `import ${seconds(run.importMs)}, run with its kills ${seconds(run.runMs)}; after a kill, medians: app answers ${seconds(middle(run.openingMs))}, service asked again ${seconds(middle(run.resumingMs))} after resuming`
    ],
    ['problems', problems.length === 0 ? 'none' : problems.join('; ')]
  ]
  return [`${whereAndWhen()}; ${version}; seed ${seed}.`, toTable(['what', 'found'], rows)].join('\n\n')
}

/** The whole work at size in a real Chromium, killed on the way. Answers with the exit code. */
export const runWork = async (args: { size: WorkSize; kills: number }): Promise<number> => {
  const { size, kills } = args
  const work = createPeopleWork(size)
  const app = await serveBuiltApp()
  const service = await startPeopleService(work)
  const kept = keepBrowser('chromium')
  const began = performance.now()
  try {
    const run = await carryOutKilled<How>({
      work,
      service,
      browser: workBrowser(kept, app.address),
      kills,
      random: createRandom(size.seed),
      pickKill: (random) => {
        const drawn = random.next()
        if (drawn < 0.4) return 'tab closed'
        return drawn < 0.8 ? 'tab crashed' : 'browser killed'
      },
      onKill: (done, { ms, confirmed }) =>
        console.log(
          `kill ${done} of ${kills}: ${confirmed} of ${size.people} confirmed, open again after ${seconds(ms)}; ${seconds(performance.now() - began)} in all`
        )
    })
    const text = report(await kept.version(), size, run)
    console.log(text)
    if (size.people >= WORTH_REPORTING) await writeSection('Work', text)
    return run.problems.length === 0 ? 0 : 1
  } finally {
    await kept.end()
    await service.close()
    await app.stop()
  }
}

/** From so many people on a run is one to report. */
const WORTH_REPORTING = 5_000
