/**
 * Does a query of 1,000,000 rows on a replica delay an append? One tab asks; another one appends, so that what is timed is
 * the writer, not a page that reads its million rows.
 */
import { openApp } from '../app-page.mjs'
import { withBrowser } from '../browsers.mjs'
import { say } from '../turns.mjs'

const ROWS = 1_000_000
const EVENTS = 20_000
const APPENDS = 300
const QUERIES = 2
const REPLICAS = ['plain', 'analytics']

const percentile = (list, share) =>
  list.toSorted((left, right) => left - right)[Math.min(list.length - 1, Math.floor(list.length * share))]

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

/** Each replica's appends' p95 in ms, alone and beside the query, and how long an answer takes. */
const timeBeside = async (asking, appending, replica) => {
  await asking.evaluate(
    (name) => window.db.queryProjection({ sql: 'SELECT 1 AS one', replica: name }),
    replica
  )
  await timeAppends(appending, 50)
  const alone = await timeAppends(appending, APPENDS)
  // All the while that it is asked, and answered: the whole way of the rows counts.
  const timing = timeAppends(appending, APPENDS, true)
  const answers = await ask(asking, replica, QUERIES)
  await appending.evaluate(() => {
    window.isBenchOver = true
  })
  const beside = await timing
  return { answers, alone: percentile(alone, 0.95), beside: percentile(beside, 0.95), appends: beside.length }
}

const section = (id, title, rows) => ({ id, title, unit: 'ms', isHigherBetter: false, rows })

export const measure = (place) =>
  withBrowser(place, 'replica', async (browser) => {
    say('replica')
    const asking = await openApp(browser, place.urls, [])
    const appending = await openApp(browser, place.urls, [])
    await fill(asking)
    const found = []
    for (const replica of REPLICAS) found.push({ replica, ...(await timeBeside(asking, appending, replica)) })
    await appending.close()
    await asking.close()
    const rowsOf = (toRows) => found.flatMap((each) => toRows(each))
    return [
      section(
        'replica',
        'Appends beside a query of 1,000,000 rows on a replica, p95',
        rowsOf(({ replica, alone, beside, appends }) => [
          { label: `${replica}: appends alone`, values: [alone], note: `${APPENDS} appends` },
          { label: `${replica}: beside`, values: [beside], note: `${appends} appends` }
        ])
      ),
      section(
        'replica-delay',
        'What that delays an append, at p95',
        rowsOf(({ replica, alone, beside }) => [{ label: replica, values: [Math.max(0, beside - alone)] }])
      ),
      section(
        'replica-answer',
        'Until 1,000,000 rows are in the page',
        rowsOf(({ replica, answers }) => [{ label: replica, values: answers }])
      )
    ]
  })
