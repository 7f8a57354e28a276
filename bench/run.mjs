/** `npm run bench`: FlowForge beside the bare engines, in one Chromium, taken in turn; prints medians and ratios. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright'
import { build, preview } from 'vite'
import { chromiumArguments } from '../scripts/chromium.mjs'
import { buildApp, findChromium, installPackages, root } from '../scripts/setup.mjs'
import { writeG1, writeSmall } from './g1.mjs'

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' }
  }
})
const ROWS = Number(options.rows)
const ROUNDS = Number(options.rounds)
const AWAITED = 300
const AT_ONCE = 1_000
const BATCH = 10_000

const median = (list) => list.toSorted((left, right) => left - right)[Math.floor(list.length / 2)]
const megabytes = (bytes) => `${(bytes / 1_000_000).toFixed(0)} MB`
const lines = []
const report = (what, ours, bare, unit) => {
  lines.push({
    what,
    FlowForge: `${median(ours).toFixed(0)} ${unit}`,
    bare: `${median(bare).toFixed(0)} ${unit}`,
    ratio: `${(median(ours) / median(bare)).toFixed(2)} ×`
  })
}

installPackages()
const executablePath = findChromium()
buildApp()
await build({ configFile: join(root, 'bench/vite.config.js'), logLevel: 'warn' })

const servers = await Promise.all(
  ['vite.config.ts', 'bench/vite.config.js'].map((configFile) =>
    preview({
      configFile: join(root, configFile),
      logLevel: 'silent',
      preview: { host: 'localhost', port: 0 }
    })
  )
)
const [appUrl, bareUrl] = servers.map((server) => server.resolvedUrls.local[0])
const folder = mkdtempSync(join(tmpdir(), 'flowforge-bench-'))
const browser = await chromium.launchPersistentContext(join(folder, 'profile'), {
  executablePath,
  args: chromiumArguments
})

try {
  const app = await browser.newPage()
  await app.goto(appUrl)
  await app.waitForFunction(() => 'flowforge' in window)
  await app.evaluate(() => window.flowforge.status())
  const bare = await browser.newPage()
  await bare.goto(bareUrl)
  await bare.waitForFunction(() => 'bare' in window)

  if (options.only !== 'workflow') {
    await bare.evaluate(() => window.bare.openSqlite())
    const ours = { awaited: [], atOnce: [], batch: [], load: [] }
    const theirs = { awaited: [], atOnce: [], batch: [], load: [] }
    const measure = (page, round) =>
      page.evaluate(
        async ({ turn, awaited, atOnce, batch }) => {
          const api =
            'bare' in window
              ? window.bare
              : {
                  append: (event) => window.db.appendEvent(event),
                  appendMany: (events) => window.db.appendEvents({ events }),
                  load: (aggregateId) => window.db.loadEvents({ aggregateId })
                }
          const event = (stream, index) => ({
            aggregateId: `bench:${stream}-${turn}`,
            eventType: 'Measured',
            payload: {
              index,
              name: `event ${index}`,
              amounts: [index, index * 2],
              note: 'a payload of ordinary size'
            }
          })
          const seconds = async (work) => {
            const started = performance.now()
            await work()
            return (performance.now() - started) / 1000
          }
          const one = await seconds(async () => {
            for (let index = 0; index < awaited; index += 1) await api.append(event('awaited', index))
          })
          const many = await seconds(() =>
            Promise.all(Array.from({ length: atOnce }, (_, index) => api.append(event('at-once', index))))
          )
          const events = Array.from({ length: batch }, (_, index) => event('batch', index))
          const whole = await seconds(() => api.appendMany(events))
          let loaded = []
          const read = await seconds(async () => {
            loaded = await api.load(`bench:batch-${turn}`)
          })
          if (loaded.length !== batch) throw new Error(`loaded ${loaded.length} of ${batch} events`)
          return { awaited: awaited / one, atOnce: atOnce / many, batch: batch / whole, load: read * 1000 }
        },
        { turn: round, awaited: AWAITED, atOnce: AT_ONCE, batch: BATCH }
      )
    for (let round = 0; round < ROUNDS; round += 1) {
      const [mine, its] = [await measure(app, round), await measure(bare, round)]
      for (const key of Object.keys(ours)) {
        ours[key].push(mine[key])
        theirs[key].push(its[key])
      }
    }
    report('appends, each awaited', ours.awaited, theirs.awaited, '/s')
    report(`appends, ${AT_ONCE} at once`, ours.atOnce, theirs.atOnce, '/s')
    report(`appends, ${BATCH} in a batch`, ours.batch, theirs.batch, '/s')
    report(`load of ${BATCH} events`, ours.load, theirs.load, 'ms')
  }

  if (options.only !== 'events') {
    const [big, small] = [join(folder, 'g1.csv'), join(folder, 'small.csv')]
    await writeG1(big, ROWS)
    await writeSmall(small)
    console.log(`G1 of ${ROWS} rows: ${megabytes(statSync(big).size)}`)
    await app.evaluate(() => {
      const input = document.createElement('input')
      input.type = 'file'
      input.multiple = true
      input.id = 'bench-files'
      input.hidden = true
      document.body.append(input)
    })
    await app.setInputFiles('#bench-files', [big, small])
    await bare.setInputFiles('#files', [big, small])
    const devtools = await browser.newCDPSession(app)
    await devtools.send('HeapProfiler.enable')
    const heaps = []
    const heap = async () => (await devtools.send('Runtime.getHeapUsage')).usedSize
    let isWatching = true
    const watching = (async () => {
      while (isWatching) {
        heaps.push(await heap())
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })()

    const runOurs = (turn) =>
      app.evaluate(async (name) => {
        const [bigFile, smallFile] = document.querySelector('#bench-files').files
        const { flowforge, db } = window
        const named = (file) => new File([file], `${name}-${file.name}`, { type: 'text/csv' })
        const started = performance.now()
        const bigSource = await flowforge.sources.importFile({ file: named(bigFile) })
        const smallSource = await flowforge.sources.importFile({ file: named(smallFile) })
        const imported = performance.now()
        const { workflowId } = await flowforge.workflows.import({
          format: 'flowforge.workflow/1',
          name: `G1 ${name}`,
          nodes: [
            { id: 'big', kind: 'source', name: 'big', spec: { dataSource: bigSource.name } },
            { id: 'small', kind: 'source', name: 'small', spec: { dataSource: smallSource.name } },
            {
              id: 'joined',
              kind: 'join',
              name: 'joined',
              spec: { type: 'inner', on: [{ left: 'id4', right: 'key' }] }
            },
            {
              id: 'grouped',
              kind: 'transform',
              name: 'grouped',
              spec: {
                steps: [
                  {
                    op: 'aggregate',
                    groupBy: ['id1', 'label'],
                    columns: { n: 'count(*)', v1: 'sum(v1)', v3: 'avg(v3)' }
                  },
                  { op: 'sort', by: [{ column: 'id1' }, { column: 'label' }] }
                ]
              }
            },
            { id: 'result', kind: 'sink', name: 'result', spec: { format: 'csv', fileName: 'g1.csv' } }
          ],
          edges: [
            { from: 'big', to: 'joined', toPort: 'left' },
            { from: 'small', to: 'joined', toPort: 'right' },
            { from: 'joined', to: 'grouped' },
            { from: 'grouped', to: 'result' }
          ]
        })
        const drawn = performance.now()
        const { runId } = await flowforge.runs.start({ workflowId })
        const { status, error } = await flowforge.runs.wait({ runId })
        const ended = performance.now()
        if (status !== 'succeeded') throw new Error(`the run ended as ${status}: ${error?.message}`)
        const [table] = await db.queryProjection({
          sql: `SELECT rows FROM artifacts WHERE run_id = ? AND kind = 'table'`,
          params: [runId]
        })
        return {
          rows: table.rows,
          importMs: imported - started,
          drawMs: drawn - imported,
          runMs: ended - drawn
        }
      }, turn)

    const ours = []
    const theirs = []
    // One round for each to warm up: both start their engine and compile it.
    await runOurs('warm-up')
    await bare.evaluate(() => window.bare.workflow())
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await runOurs(round))
      theirs.push(await bare.evaluate(() => window.bare.workflow()))
    }
    isWatching = false
    await watching
    if (new Set([...ours, ...theirs].map(({ rows }) => rows)).size !== 1)
      throw new Error('the results differ in size')
    const column = (list, key) => list.map((each) => each[key])
    report('import of G1', column(ours, 'importMs'), column(theirs, 'importMs'), 'ms')
    report('join, group and save', column(ours, 'runMs'), column(theirs, 'runMs'), 'ms')
    const total = (list) => list.map(({ importMs, runMs }) => importMs + runMs)
    report('both', total(ours), total(theirs), 'ms')
    console.log(`highest heap of the page: ${megabytes(Math.max(...heaps))}`)
  }

  console.log(
    `${cpus().length} × ${cpus()[0]?.model}, Chromium ${browser.browser()?.version() ?? ''}, medians of ${ROUNDS}`
  )
  console.table(lines)
} finally {
  await browser.close()
  for (const server of servers) await server.close()
  rmSync(folder, { recursive: true, force: true })
}
