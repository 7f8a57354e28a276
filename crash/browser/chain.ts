import type { Page } from 'puppeteer-core'
import { createRandom, type Random } from '../random.ts'
import type { BrowserName, KeptBrowser } from './browsers.ts'
import { createLedger } from './ledger.ts'
import { SCENARIOS, isMeant, ordersOf, runEvents, type Scenario } from './scenarios.ts'
import type { Tally } from './tally.ts'

export const KILLS = ['worker', 'page', 'crash', 'browser'] as const
/** A worker that is terminated under its page, a page that is closed, a renderer that crashes, the browser's process. */
export type Kill = (typeof KILLS)[number]

type Tab = {
  readonly page: Page
  readonly client: string
  readonly life: string
  workerKills: number
  isHeardWhole: boolean
}

/** A page gives its worker up after so many deaths within a minute; it is closed before. */
const WORKER_KILLS = 6
const PATIENCE_MS = 45_000
/** How much of the chains begin with a database of an earlier schema. */
const MIGRATED = 0.35
/** About how long these take, so that a kill comes into them. */
const LENGTHS_MS: Partial<Record<Scenario, number>> = {
  rebuild: 100,
  backup: 200,
  restore: 600,
  archive: 250
}
const OPENING_MS = 600
/** What one tab alone does at a time. */
const JOBS: ReadonlySet<Scenario> = new Set(['backup', 'rebuild', 'archive'])

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const within = async <T>(what: string, work: Promise<T>): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} took longer than ${PATIENCE_MS / 1000} s`)),
      PATIENCE_MS
    )
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export type ChainArgs = {
  readonly name: BrowserName
  readonly browser: KeptBrowser
  readonly port: number
  readonly seed: number
  /** How many databases of earlier schemas are served. */
  readonly fixtures: number
  readonly tally: Tally
  readonly kills: number
  /** Lets pages be heard by this chain. */
  readonly listen: (hear: (told: unknown) => void) => void
}

/** One origin, whose program is killed again and again; each time it opens again, and everything is checked. */
export const runChain = async (args: ChainArgs): Promise<void> => {
  const { name, browser, port, seed, fixtures, tally, kills, listen } = args
  const random = createRandom(seed)
  const ledger = createLedger()
  listen(ledger.hear)
  const address = `http://seed${seed}-${tally.kills}.localhost:${port}/`
  let tabs: Tab[] = []
  let lives = 0
  const steps: string[] = []

  const openTab = async (): Promise<Tab> => {
    lives += 1
    const client = `s${seed}p${lives}`
    const page = await browser.open(address)
    const tab: Tab = { page, client, life: client, workerKills: 0, isHeardWhole: true }
    tabs.push(tab)
    return tab
  }

  const closeTab = async (tab: Tab): Promise<void> => {
    tabs = tabs.filter((each) => each !== tab)
    await tab.page.close()
  }

  const verify = async (): Promise<void> => {
    const tab = tabs[0] ?? (await openTab())
    const found = await within(
      'Checking',
      tab.page.evaluate(
        (keys, rebuilds) => window.harness.verify(keys, rebuilds),
        ledger.keys(),
        random.chance(0.2)
      )
    )
    const problems = ledger.judge(found, tab)
    tally.verified += 1
    if (problems.length > 0) throw new Error(problems.join('\n'))
  }

  /** Kills the first tab's worker, the tab, or everything. */
  const kill = async (how: Kill, scenario: Scenario, isMet: boolean): Promise<void> => {
    tally.count(scenario, how, isMet)
    steps.push(`${how} killed`)
    const [tab] = tabs
    if (how === 'browser' || tab === undefined) {
      tabs = []
      await browser.kill()
      return
    }
    tabs = tabs.slice(1)
    switch (how) {
      case 'worker':
        await tab.page.evaluate(() => window.harness.killWorker())
        tab.workerKills += 1
        // The next in the line leads, if there is one.
        tabs.push(tab)
        return
      case 'page':
        await tab.page.close()
        return
      case 'crash': {
        const session = await tab.page.createCDPSession()
        const crashed = new Promise((resolve) => void tab.page.once('error', resolve))
        // It is never answered: nobody is left who could.
        session.send('Page.crash').catch(() => undefined)
        await crashed
        await tab.page.close().catch(() => undefined)
      }
    }
  }

  const pickKill = (given: Random): Kill => {
    const drawn = given.next()
    if (drawn < 0.45) return 'worker'
    if (drawn < 0.9) return name === 'chromium' && given.chance(0.3) ? 'crash' : 'page'
    return 'browser'
  }

  /** Waits for the moment of the kill: within what takes long, or after some of the answers. */
  const moment = async (scenario: Scenario, orders: number, before: number): Promise<void> => {
    const length = LENGTHS_MS[scenario]
    if (length !== undefined) return pause(random.next() * length)
    const wanted = before + random.between(0, Math.floor(orders / 2))
    const until = performance.now() + 3_000
    while (ledger.toldCount() < wanted && performance.now() < until) await pause(2)
    await pause(random.between(0, 30))
  }

  const work = async (scenario: Scenario, count: number): Promise<void> => {
    while (tabs.length < count)
      await within(
        'Opening',
        (await openTab()).page.evaluate(() => window.harness.ready())
      )
    const before = ledger.toldCount()
    let orders = 0
    for (const [at, { page, client, life }] of tabs.entries()) {
      // One of these at a time; the other tabs do the rest.
      const own = at > 0 && JOBS.has(scenario) ? 'append' : scenario
      const given = ordersOf(own, { random, client, next: ledger.next })
      ledger.give(client, life, given)
      orders += given.length
      await page.evaluate((list) => window.harness.work(list), given)
    }
    if (scenario === 'restore') for (const tab of tabs) tab.isHeardWhole = false
    await moment(scenario, orders, before)
    const isMet = (): boolean => ledger.underWay().some(({ kind }) => isMeant(scenario, kind))
    await kill(pickKill(random), scenario, isMet())
    if (scenario === 'archive' && random.chance(0.4)) await killOpening(scenario)
    if (scenario !== 'hand-over') return
    for (let more = random.between(0, 2); more > 0 && tabs.length > 1; more -= 1) {
      // While the next one takes over.
      await pause(random.between(0, 250))
      await kill(pickKill(random), scenario, isMet())
    }
  }

  const settle = async (): Promise<void> => {
    await within(
      'Answering',
      Promise.all(tabs.map(({ page }) => page.evaluate(() => window.harness.settled())))
    )
    await verify()
    for (const tab of tabs.slice(1)) await closeTab(tab)
    for (const tab of tabs) if (tab.workerKills >= WORKER_KILLS || !tab.isHeardWhole) await closeTab(tab)
  }

  /** Kills what is opening: it sweeps away what the kill before has left. */
  const killOpening = async (scenario: Scenario): Promise<void> => {
    const tab = tabs[0] ?? (await openTab())
    await pause(random.next() * OPENING_MS)
    const isReady = (await tab.page.title()) === 'ready'
    await kill(pickKill(random), scenario, !isReady)
  }

  /** Opens a database of an earlier schema, and is killed while it is brought up to date. */
  const migrate = async (): Promise<void> => {
    const page = await browser.open(`${address}?file`)
    const url = `/before-${random.between(0, fixtures - 1)}.sqlite`
    ledger.begin(await page.evaluate((from) => window.harness.plant(from), url))
    await page.close()
    for (let more = random.between(1, 3); more > 0; more -= 1) {
      await killOpening('migration')
    }
    await settle()
  }

  const examine = async (): Promise<void> => {
    for (const tab of tabs) await closeTab(tab)
    const page = await browser.open(`${address}?file`)
    const problems = await within(
      'Examining',
      page.evaluate(() => window.harness.examine())
    )
    await page.close()
    if (problems.length > 0) throw new Error(problems.join('\n'))
  }

  const before = tally.kills
  try {
    if (random.chance(MIGRATED)) {
      steps.push('migration')
      await migrate()
    } else if (random.chance(0.4)) {
      const { client, life, page } = await openTab()
      const events = Array.from({ length: 120 }, () => runEvents({ client, next: ledger.next })).flat()
      const order = { kind: 'append', index: ledger.next(), waits: true, events } as const
      ledger.give(client, life, [order])
      await page.evaluate((list) => window.harness.work(list), [order])
    }
    const rest = SCENARIOS.filter((scenario) => scenario !== 'migration')
    while (tally.kills - before < Math.min(kills, 16)) {
      const scenario = rest[random.between(0, rest.length - 1)] ?? 'append'
      steps.push(scenario)
      await work(scenario, scenario === 'hand-over' ? 3 : random.chance(0.2) ? 2 : 1)
      await settle()
    }
    await examine()
  } catch (thrown) {
    const waiting = ledger.underWay().map(({ index, kind }) => `${kind} ${index}`)
    const said = await Promise.race([
      Promise.all(tabs.map(({ page }) => page.evaluate(() => window.harness.said()).catch(String))),
      pause(2_000).then(() => ['nothing'])
    ])
    tally.fail(
      seed,
      steps,
      `${String(thrown)}\nunanswered: ${waiting.join(', ')}\nsaid: ${said.join(' || ')}`
    )
    // Whatever hangs must not hold up the next chain.
    await browser.kill()
  } finally {
    tally.events += ledger.events()
    for (const { page } of tabs) await page.close().catch(() => undefined)
  }
}
