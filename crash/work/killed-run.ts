import { createHash } from 'node:crypto'
import type { TestService } from '../../src/worker/http/contract/test-service.ts'
import type { Random } from '../random.ts'
import * as inPage from './in-page.ts'
import { judgeRequests, type AfterKill, type RequestVerdict } from './judge-requests.ts'
import { personOf } from './people-service.ts'
import { CONCURRENCY, documentFor, ORDERS_FILE, toWorkbook, type PeopleWork } from './people-work.ts'

/** A page of the app, whoever drives it. */
export type WorkTab = {
  evaluate<Given, Answer>(work: (given: Given) => Promise<Answer>, given: Given): Promise<Answer>
}

export type WorkBrowser<How extends string> = {
  /** Opens the app in a new tab; answers once its program does. */
  open(): Promise<WorkTab>
  /** Ends the tab without a warning; the browser lives on, or is started anew by the next `open`. */
  kill(tab: WorkTab, how: How): Promise<void>
}

export type KilledRun<How extends string> = {
  readonly verdict: RequestVerdict
  /** Every word that was not kept, of requests and of results. */
  readonly problems: readonly string[]
  readonly kills: ReadonlyMap<How, number>
  readonly importMs: number
  readonly runMs: number
  /** After each kill: until the new tab's program answered, and from there until the service was asked again. */
  readonly openingMs: readonly number[]
  readonly resumingMs: readonly number[]
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
/** How long nothing may move. */
const PATIENCE_MS = 180_000

/** Waits for a condition; what holds it up is in the error. */
const until = async (words: () => string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
  const end = performance.now() + PATIENCE_MS
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`Waited too long: ${words()}`)
    await pause(10)
  }
}

/**
 * Carries the work out while the tab is killed again and again, at moments spread over the requests, and resumes it each
 * time; then judges what the service and the program have on record, and the results against the oracle.
 */
export const carryOutKilled = async <How extends string>(args: {
  work: PeopleWork
  service: TestService
  browser: WorkBrowser<How>
  kills: number
  random: Random
  pickKill: (random: Random) => How
  onKill?: (done: number, opening: { ms: number; confirmed: number }) => void
}): Promise<KilledRun<How>> => {
  const { work, service, browser, kills, random, pickKill, onKill = () => undefined } = args
  const { people } = work
  const known: AfterKill[] = []
  const counted = new Map<How, number>()
  const openingMs: number[] = []
  const resumingMs: number[] = []
  const answered = (): number => service.seen.reduce((sum, each) => sum + (each.answered ? 1 : 0), 0)

  let tab = await browser.open()
  const { runId, importMs } = await tab.evaluate(inPage.startWork, {
    fileName: ORDERS_FILE,
    base64: (await toWorkbook(work)).toString('base64'),
    document: documentFor(service.url)
  })
  const began = performance.now()
  const status = (): Promise<string> => tab.evaluate(inPage.statusOf, runId)
  const goesOn = async (): Promise<void> => {
    const now = await status()
    if (now === 'failed' || now === 'canceled') {
      throw new Error(`The run ${now}: ${await tab.evaluate(inPage.failureOf, runId)}`)
    }
  }

  for (let kill = 1; kill <= kills; kill += 1) {
    // Never at the very start or end, so that each kill meets requests under way.
    const share = (kill - 0.5 + (random.next() - 0.5) / 2) / kills
    const moment = Math.max(1, Math.floor(share * people.size))
    let looked = performance.now()
    await until(
      () => `${answered()} answers, and kill ${kill} comes after ${moment}`,
      async () => {
        if (performance.now() - looked > 2_000) {
          looked = performance.now()
          await goesOn()
        }
        return answered() >= moment
      }
    )
    const how = pickKill(random)
    await browser.kill(tab, how)
    counted.set(how, (counted.get(how) ?? 0) + 1)
    const killed = performance.now()
    tab = await browser.open()
    openingMs.push(performance.now() - killed)
    await until(
      () => 'the run that was cut off has not ended',
      async () => (await status()) === 'failed'
    )
    const confirmed = new Set((await tab.evaluate(inPage.confirmedPeople, undefined)).map(([id]) => id))
    const logged = service.seen.length
    known.push({ logged, confirmed })
    onKill(kill, { ms: openingMs.at(-1) ?? 0, confirmed: confirmed.size })
    const resumed = performance.now()
    await tab.evaluate(inPage.resume, runId)
    await until(
      () => 'the service is not asked again',
      async () => service.seen.length > logged || confirmed.size === people.size
    )
    resumingMs.push(performance.now() - resumed)
  }
  await until(
    () => 'the run has not ended',
    async () => {
      await goesOn()
      return (await status()) === 'succeeded'
    }
  )
  const runMs = performance.now() - began

  const confirmed = await tab.evaluate(inPage.confirmedPeople, undefined)
  const attempts = await tab.evaluate(inPage.attempts, undefined)
  const verdict = judgeRequests({
    people: new Set(people.keys()),
    log: service.seen.map((each) => ({ person: personOf(each), status: each.status })),
    kills: known,
    record: {
      confirmed: new Map(confirmed),
      attempts: new Map(attempts.map(([id, sent, of]) => [id, { sent, answered: of }]))
    },
    concurrency: CONCURRENCY
  })
  const written = new Map(await tab.evaluate(inPage.writtenFiles, runId))
  const wrong = Object.entries(work.expected).flatMap(([name, text]) => {
    const sha256 = createHash('sha256').update(text).digest('hex')
    return written.get(name) === sha256 ? [] : [`${name} is not what the oracle says`]
  })
  return {
    verdict,
    problems: [...verdict.problems, ...wrong],
    kills: counted,
    importMs,
    runMs,
    openingMs,
    resumingMs
  }
}
