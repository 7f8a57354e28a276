/** A CSV of a gigabyte through filter, join, rule and aggregate into three sinks: what it takes, and how soon it can be ended. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { importFiles, openApp } from '../app-page.mjs'
import { withBrowser } from '../browsers.mjs'
import { writeG1, writeSmall } from '../g1.mjs'
import { watchHeap } from '../heap.mjs'
import { say } from '../turns.mjs'

const SINKS = ['groups', 'sheet', 'refused']
/** When a run is canceled, as shares of the time that a whole one takes. */
const MOMENTS = [0.05, 0.2, 0.4, 0.6, 0.8, 0.95]

/** In FlowForge's page. */
const draw = async ([big, small]) => {
  const source = (id, dataSource) => ({ id, kind: 'source', name: id, spec: { dataSource } })
  const sink = (id, format) => ({ id, kind: 'sink', name: id, spec: { format, fileName: `${id}.${format}` } })
  const { workflowId } = await window.flowforge.workflows.import({
    format: 'flowforge.workflow/1',
    name: 'gigabyte',
    nodes: [
      source('big', big),
      source('small', small),
      {
        id: 'cheap',
        kind: 'transform',
        name: 'cheap',
        spec: { steps: [{ op: 'filter', where: 'v3 < 60' }] }
      },
      {
        id: 'joined',
        kind: 'join',
        name: 'joined',
        spec: { type: 'inner', on: [{ left: 'id4', right: 'key' }] }
      },
      {
        id: 'judged',
        kind: 'rule',
        name: 'judged',
        spec: {
          mode: 'first',
          rules: [
            { name: 'tiny', when: 'v3 < 0.01', reject: 'too small' },
            { name: 'many', when: 'v1 >= 4', set: { grade: `'many'` } }
          ],
          otherwise: { grade: `'few'` }
        }
      },
      {
        id: 'grouped',
        kind: 'transform',
        name: 'grouped',
        spec: {
          steps: [
            {
              op: 'aggregate',
              groupBy: ['id1', 'label', 'grade'],
              columns: { n: 'count(*)', v1: 'sum(v1)', v3: 'avg(v3)' }
            }
          ]
        }
      },
      sink('groups', 'csv'),
      sink('sheet', 'xlsx'),
      sink('refused', 'parquet')
    ],
    edges: [
      { from: 'big', to: 'cheap' },
      { from: 'cheap', to: 'joined', toPort: 'left' },
      { from: 'small', to: 'joined', toPort: 'right' },
      { from: 'joined', to: 'judged' },
      { from: 'judged', to: 'grouped' },
      { from: 'grouped', to: 'groups' },
      { from: 'grouped', to: 'sheet' },
      { from: 'judged', fromPort: 'rejected', to: 'refused' }
    ]
  })
  return workflowId
}

/** In FlowForge's page: a whole run where no moment is given. */
const run = async ([workflowId, cancelAfter]) => {
  const { flowforge, db } = window
  const started = performance.now()
  // What a person sees move: another mark of a node, or another count.
  let [seen, since, silence] = ['', started, 0]
  const look = () => {
    const now = [...document.querySelectorAll('.canvas-node')].map((node) => node.outerHTML).join()
    if (now !== seen) {
      silence = Math.max(silence, performance.now() - since)
      ;[seen, since] = [now, performance.now()]
    }
  }
  const looking = setInterval(look, 50)
  const { runId } = await flowforge.runs.start({ workflowId, reuse: 'none' })
  const waiting = flowforge.runs.wait({ runId })
  if (cancelAfter !== null) {
    await new Promise((resolve) => setTimeout(resolve, cancelAfter))
    const asked = performance.now()
    // It may have ended a moment before.
    await flowforge.runs.cancel({ runId }).catch(({ code }) => code)
    const { status } = await waiting
    const ms = performance.now() - asked
    clearInterval(looking)
    return { status, ms }
  }
  const { status, error } = await waiting
  const ms = performance.now() - started
  clearInterval(looking)
  if (seen === '') throw new Error('the canvas shows no nodes')
  silence = Math.max(silence, performance.now() - since)
  const steps = await db.queryProjection({
    sql: 'SELECT node_id AS node, stats_json AS stats FROM run_steps WHERE run_id = ?',
    params: [runId]
  })
  const stats = steps.map((step) => JSON.parse(step.stats ?? '{}'))
  const memory = Math.max(...stats.map(({ memoryBytes }) => memoryBytes ?? 0))
  const artifacts = await db.queryProjection({
    sql: `SELECT node_id AS node, rows FROM artifacts WHERE run_id = ? AND kind = 'file'`,
    params: [runId]
  })
  return { status, message: error?.message, ms, memory, silence, artifacts }
}

const one = (label, value, note) => ({ label, values: [value], note })

export const measure = (place) =>
  withBrowser(place, 'gigabyte', async (browser) => {
    const [big, small] = [join(place.folder, 'gigabyte.csv'), join(place.folder, 'gigabyte-small.csv')]
    say('gigabyte: writing the file')
    await writeG1(big, place.sizes.gigabyteRows)
    await writeSmall(small)
    const size = `${(statSync(big).size / 1e9).toFixed(2)} GB, ${place.sizes.gigabyteRows.toLocaleString('en')} rows`
    const page = await openApp(browser, place.urls, [big, small])
    const endWatch = await watchHeap(browser, page)
    say('gigabyte: importing')
    const { names, ms: importMs } = await page.evaluate(importFiles)
    const workflowId = await page.evaluate(draw, names)
    await page.goto(new URL(`workflows/${workflowId}`, place.urls.app).href)
    await page.waitForSelector('.canvas-node')
    say('gigabyte: a whole run')
    const whole = await page.evaluate(run, [workflowId, null])
    if (whole.status !== 'succeeded') throw new Error(`the run ended as ${whole.status}: ${whole.message}`)
    const files = whole.artifacts.filter(({ node }) => SINKS.some((id) => node.endsWith(id))).length
    if (files !== 3) throw new Error(`${files} files were written, not 3`)
    const cancels = []
    let after
    for (const moment of MOMENTS) {
      say(`gigabyte: canceled at ${moment * 100} %`)
      const { status, ms } = await page.evaluate(run, [workflowId, whole.ms * moment])
      cancels.push(
        one(`at ${moment * 100} % of the run`, ms, status === 'canceled' ? undefined : `it ${status}`)
      )
      if (moment !== MOMENTS[0]) continue
      say('gigabyte: a whole run right after it')
      after = await page.evaluate(run, [workflowId, null])
    }
    const heap = await endWatch()
    return [
      {
        id: 'gigabyte-time',
        title: `A CSV of ${size}: filter, join, rule, aggregate, three sinks`,
        unit: 's',
        isHigherBetter: false,
        rows: [
          one('import', importMs / 1_000),
          one('run', whole.ms / 1_000),
          one(
            'run right after one that was canceled early',
            after.ms / 1_000,
            after.status === 'succeeded' ? undefined : `it ${after.status}: ${after.message}`
          )
        ]
      },
      {
        id: 'gigabyte-memory',
        title: 'The same: memory at its highest',
        unit: 'MB',
        isHigherBetter: false,
        rows: [
          one('page heap', heap),
          one('engine', whole.memory / 1e6, 'WebAssembly memory, asked after each step'),
          one('engine, right after a canceled run', after.memory / 1e6)
        ]
      },
      {
        id: 'gigabyte-progress',
        title: 'The same: the longest that nothing moved on the screen',
        unit: 'ms',
        isHigherBetter: false,
        rows: [one('nodes on the canvas', whole.silence)]
      },
      {
        id: 'gigabyte-cancel',
        title: 'The same: from the call of cancel to the end of the run',
        unit: 'ms',
        isHigherBetter: false,
        rows: cancels
      }
    ]
  })
