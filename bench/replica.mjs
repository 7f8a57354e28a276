/**
 * Does a query of 1,000,000 rows on a replica delay an append? One tab asks; another one appends, so that what is timed is the writer, not a page that reads its million rows.
 */
import { pathToFileURL } from 'node:url'

const ROWS = 1_000_000
const EVENTS = 20_000
const APPENDS = 300
const QUERIES = 2

const percentile = (list, share) =>
  list.toSorted((left, right) => left - right)[Math.min(list.length - 1, Math.floor(list.length * share))]

const openTab = async (browser, appUrl) => {
  const page = await browser.newPage()
  await page.goto(appUrl)
  await page.waitForFunction(() => 'flowforge' in window)
  await page.evaluate(() => window.flowforge.status())
  return page
}

/** Appends one after the other, at least so often and until it is told to stop; answers with how long each took in ms. */
const timeAppends = (page, count, isEndless = false) =>
  page.evaluate(
    async ({ wanted, goesOn }) => {
      window.isBenchOver = !goesOn
      const times = []
      while (times.length < wanted || !window.isBenchOver) {
        const begun = performance.now()
        await window.db.appendEvent({ aggregateId: 'bench:timed', eventType: 'Timed', payload: {} })
        times.push(performance.now() - begun)
      }
      return times
    },
    { wanted: count, goesOn: isEndless }
  )

const fill = (page) =>
  page.evaluate(async (wanted) => {
    for (let from = 0; from < wanted; from += 5_000) {
      const events = Array.from({ length: 5_000 }, (_, n) => ({
        aggregateId: `bench:${n % 100}`,
        eventType: 'Filled',
        payload: { n: from + n }
      }))
      await window.db.appendEvents({ events })
    }
  }, EVENTS)

/** Asks so often, one after the other; answers with how long each answer took in ms. */
const ask = (page, replica, times) =>
  page.evaluate(
    async ({ name, rows, wanted }) => {
      const sql = `SELECT e.position, e.id, e.seq, t.n FROM events e
                   CROSS JOIN (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 50) SELECT n FROM s) t
                   LIMIT ${rows}`
      const took = []
      while (took.length < wanted) {
        const begun = performance.now()
        const answer = await window.db.queryProjection({ sql, replica: name })
        if (answer.length !== rows) throw new Error(`${answer.length} of ${rows} rows came.`)
        took.push(performance.now() - begun)
      }
      return took
    },
    { name: replica, rows: ROWS, wanted: times }
  )

/**
 * Measures against the built app.
 *
 * @param browser a Playwright browser context in which FlowForge is not open yet
 * @returns for each replica the appends' p50 and p95 in ms, alone and beside the query, and the p95's difference
 */
export const measureReplica = async ({ browser, appUrl, appends = APPENDS }) => {
  const asking = await openTab(browser, appUrl)
  const appending = await openTab(browser, appUrl)
  await fill(asking)
  const results = []
  for (const replica of ['plain', 'analytics']) {
    await asking.evaluate(
      (name) => window.db.queryProjection({ sql: 'SELECT 1 AS one', replica: name }),
      replica
    )
    await timeAppends(appending, 50)
    const alone = await timeAppends(appending, appends)
    // All the while that it is asked, and answered: the whole way of the rows counts.
    const timing = timeAppends(appending, appends, true)
    const queries = await ask(asking, replica, QUERIES)
    await appending.evaluate(() => {
      window.isBenchOver = true
    })
    const beside = await timing
    results.push({
      replica,
      rows: ROWS,
      appends: beside.length,
      answerMs: percentile(queries, 0.5),
      aloneMs: { p50: percentile(alone, 0.5), p95: percentile(alone, 0.95) },
      besideMs: { p50: percentile(beside, 0.5), p95: percentile(beside, 0.95) },
      delayMsAtP95: percentile(beside, 0.95) - percentile(alone, 0.95)
    })
  }
  await appending.close()
  await asking.close()
  return results
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { chromium } = await import('playwright')
  const { preview } = await import('vite')
  const { mkdtempSync, rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const { chromiumArguments, chromiumPath } = await import('../scripts/chromium.mjs')
  const server = await preview({ logLevel: 'silent', preview: { host: 'localhost', port: 0 } })
  const folder = mkdtempSync(join(tmpdir(), 'flowforge-replica-'))
  const browser = await chromium.launchPersistentContext(folder, {
    executablePath: chromiumPath(),
    args: chromiumArguments
  })
  try {
    console.log(
      JSON.stringify(await measureReplica({ browser, appUrl: server.resolvedUrls.local[0] }), null, 2)
    )
  } finally {
    await browser.close()
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
