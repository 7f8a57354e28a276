/**
 * Rebuild of read models from the log, through FlowForge's door; beside it the bare engine, which reads the same events
 * in order and inserts equal rows by hand in one transaction.
 */
import { withBrowser } from '../browsers.mjs'
import { openPeer } from '../driver.mjs'
import { PEERS } from '../peers.mjs'
import { takeTurns } from '../turns.mjs'

/** A run's events: queued, started, so many lines of its log, succeeded. */
const EVENTS_A_RUN = 10
const TABLES = ['runs', 'run_logs']

/** Runs in either page: appends whole runs until there are `count` events, in batches of one call. */
const fillRuns = async ({ count, size, perRun }) => {
  const append = window.db?.appendEvents ?? (({ events }) => window.peer.appendMany(events))
  const runOf = (number) => {
    const aggregateId = `run:r-${number}`
    const event = (eventType, payload) => ({ aggregateId, eventType, payload })
    return [
      event('RunQueued', {
        workflowId: 'workflow:w',
        workflowVersionId: 'workflow:w@1',
        version: 1,
        workflowName: 'W',
        trigger: 'manual',
        parameters: { min: number }
      }),
      event('RunStarted', {
        manifest: {
          engine: 'duckdb',
          graph: { parameters: {}, nodes: [], edges: [] },
          sources: [{ name: 'a.csv', sha256: 'abc' }]
        }
      }),
      ...Array.from({ length: perRun - 3 }, (_, line) =>
        event('RunLogged', {
          logId: `log-${number}-${line}`,
          level: 'info',
          message: `read ${line} rows`,
          meta: { rows: line }
        })
      ),
      event('RunSucceeded', {})
    ]
  }
  const runs = count / perRun
  for (let done = 0; done < runs; done += size / perRun)
    await append({
      events: Array.from({ length: Math.min(size / perRun, runs - done) }, (_, index) =>
        runOf(done + index)
      ).flat()
    })
}

/** What the rebuilt tables hold, as one text: counts, and sums that a lost or doubled row would change. */
const READ_ROWS = `SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM runs WHERE status = 'succeeded') AS succeeded,
  (SELECT count(*) FROM run_logs) AS logs, (SELECT sum(meta_json ->> 'rows') FROM run_logs) AS total,
  (SELECT sum(length(input_manifest_json)) FROM runs) AS manifests`

const MISSING = 'this version has no call flowforge.projections.rebuild'

const hasCall = async (place, browser) => {
  const opened = await openPeer(PEERS[0], { ...place, browser, directory: 'rebuild' })
  try {
    return await opened.page.evaluate(() => typeof window.flowforge.projections?.rebuild === 'function')
  } finally {
    await opened.close()
  }
}

const timeOurs = ({ page }) =>
  page.evaluate(async (sql) => {
    const read = async () => JSON.stringify(await window.db.queryProjection({ sql }))
    const before = await read()
    const started = performance.now()
    await window.flowforge.projections.rebuild({})
    const time = performance.now() - started
    const after = await read()
    if (before !== after) throw new Error(`rebuilt rows differ: ${after}, not ${before}`)
    return { time, rows: after }
  }, READ_ROWS)

const timeRaw = ({ page }) => page.evaluate((sql) => window.peer.rebuild(sql), READ_ROWS)

export const measure = (place) =>
  withBrowser(place, 'rebuild', async (browser) => {
    const count = place.sizes.rebuilt
    const asked = place.peers.filter(({ id }) => id === 'flowforge' || id === 'raw')
    const isThere = await hasCall(place, browser)
    const peers = asked.filter(({ id }) => id !== 'flowforge' || isThere)
    const fill = { count, size: Math.min(10_000, count), perRun: EVENTS_A_RUN }
    const results = await takeTurns({
      title: 'rebuild',
      peers,
      rounds: place.rounds,
      open: async (peer) => {
        const opened = await openPeer(peer, { ...place, browser, directory: 'rebuild' })
        await opened.page.evaluate(fillRuns, fill)
        return opened
      },
      turn: async (opened, _turn, peer) => {
        const { time, rows } = await (peer.id === 'flowforge' ? timeOurs(opened) : timeRaw(opened))
        const [found] = JSON.parse(rows)
        if (found.runs !== count / EVENTS_A_RUN || found.logs !== (count / EVENTS_A_RUN) * (EVENTS_A_RUN - 3))
          throw new Error(`${TABLES.join(', ')} hold ${rows}`)
        if (found.succeeded !== found.runs) throw new Error(`not every run has ended: ${rows}`)
        return { time, rows }
      },
      after: (_opened, turns) => {
        if (new Set(turns.map(({ rows }) => rows)).size > 1)
          throw new Error('two rebuilds led to different rows')
      }
    })
    const [ours, raw] = ['flowforge', 'raw'].map((id) => results.get(id)?.turns[0]?.rows)
    if (ours !== undefined && raw !== undefined && ours !== raw)
      throw new Error(`FlowForge’s rows ${ours} are not those of the raw engine ${raw}`)
    return [
      {
        id: 'rebuild',
        title: `Rebuild of the read models from ${count.toLocaleString('en')} events`,
        unit: 'events/s',
        isHigherBetter: true,
        rows: asked.map((peer) => {
          const { turns, error } = results.get(peer.id) ?? { turns: [] }
          const note = peers.includes(peer) ? undefined : MISSING
          return { peer, error, note, values: turns.map(({ time }) => (count / time) * 1_000) }
        }),
        notes: [
          'FlowForge rebuilds every projection through its door; the raw engine reads the events, parses their payloads and writes equal rows of two tables by hand, in one transaction.'
        ]
      }
    ]
  })
