import type { Page } from 'puppeteer-core'
import type { KeptBrowser } from './browsers.ts'

const TABS = 8
const EACH = 1_000
/** Tabs that lead before the others and are closed or crash; after them the workers of those that append are killed. */
const FIRST_LEADERS = 6
const KILLS = 20

const roleOf = (page: Page): Promise<string> => page.evaluate(() => window.harness.role())

/** What is wrong with a stream that one tab appended to, one call after the other. */
const problemsOf = (name: string, indexes: readonly number[]): string[] => {
  const wrong = indexes.findIndex((index, at) => index !== at)
  if (wrong !== -1) return [`${name} has ${indexes[wrong]} where ${wrong} should be`]
  return indexes.length === EACH ? [] : [`${name} has ${indexes.length} events of ${EACH}`]
}

/**
 * Eight tabs append a thousand events each while whoever leads is killed twenty times.
 *
 * @returns how many events there are at the end, and every word that was not kept
 */
export const appendFromManyTabs = async (args: {
  browser: KeptBrowser
  address: string
  /** Lets pages be heard. */
  listen: (hear: (told: unknown) => void) => void
}): Promise<{ events: number; kills: number; problems: string[] }> => {
  const { browser, address, listen } = args
  let appended = 0
  listen((told) => {
    if (Reflect.get(Object(told), 'reached') === 'appended') appended += 1
  })
  const open = async (): Promise<Page> => {
    const page = await browser.open(address)
    await page.evaluate(() => window.harness.ready())
    return page
  }
  const firstLeaders: Page[] = []
  for (let at = 0; at < FIRST_LEADERS; at += 1) firstLeaders.push(await open())
  const pages: Page[] = []
  for (let at = 0; at < TABS; at += 1) pages.push(await open())
  await Promise.all(
    pages.map((page, at) =>
      page.evaluate((stream, count) => window.harness.append(stream, count), `tab:${at}`, EACH)
    )
  )
  let kills = 0
  const killLeader = async (): Promise<void> => {
    const first = firstLeaders.shift()
    if (first !== undefined) return first.close()
    for (const page of pages) {
      if ((await roleOf(page)) !== 'leader') continue
      await page.evaluate(() => window.harness.killWorker())
      return
    }
    throw new Error('No tab leads.')
  }
  while (kills < KILLS) {
    // Spread over the work: at each, some calls have been answered and some have not.
    while (appended < (kills * TABS * EACH) / (KILLS + 1))
      await new Promise((resolve) => setTimeout(resolve, 5))
    await killLeader()
    kills += 1
  }
  await Promise.all(pages.map((page) => page.evaluate(() => window.harness.settled())))
  const [page] = pages
  if (page === undefined) throw new Error('No tab was opened.')
  const { log } = await page.evaluate(() => window.harness.verify({ row: [], blob: [], snapshot: [] }, false))
  const problems = pages.flatMap((_, at) => {
    const events = log.filter(({ aggregateId }) => aggregateId === `tab:${at}`)
    // The content ends with the payload, which is the number of the call.
    return problemsOf(
      `tab ${at}`,
      events.map(({ content }) => Number(/"index":(\d+)/.exec(content)?.[1]))
    )
  })
  for (const each of pages) await each.close()
  return { events: log.length, kills, problems }
}

/** Many tabs open, and all but the last close: that one works, and has every event. */
export const closeAllButOne = async (args: {
  browser: KeptBrowser
  address: string
  tabs: number
}): Promise<{ tabs: number; problems: string[] }> => {
  const { browser, address, tabs } = args
  const pages: Page[] = []
  for (let at = 0; at < tabs; at += 1) {
    const page = await browser.open(address)
    await page.evaluate((stream) => window.harness.append(stream, 1), `tab:${at}`)
    await page.evaluate(() => window.harness.settled())
    pages.push(page)
  }
  const last = pages.pop()
  if (last === undefined) throw new Error('No tab was opened.')
  for (const page of pages) await page.close()
  await last.evaluate(() => window.harness.append('last', 1))
  await last.evaluate(() => window.harness.settled())
  const role = await roleOf(last)
  const { log, problems } = await last.evaluate(() =>
    window.harness.verify({ row: [], blob: [], snapshot: [] }, false)
  )
  await last.close()
  return {
    tabs,
    problems: [
      ...problems,
      ...(role === 'leader' ? [] : [`the last tab is a ${role}`]),
      ...(log.length === tabs + 1 ? [] : [`${log.length} events of ${tabs + 1}`])
    ]
  }
}
