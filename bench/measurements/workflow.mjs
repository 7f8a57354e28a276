/** A whole workflow: drop two CSV files, join, group, save; beside it the same by hand with DuckDB-WASM. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { openApp, openByHand } from '../app-page.mjs'
import { withBrowser } from '../browsers.mjs'
import { writeG1, writeSmall } from '../g1.mjs'
import { watchHeap } from '../heap.mjs'
import { say } from '../turns.mjs'

/** In FlowForge's page: through its own door, as a person's clicks go. */
const runOurs = async (name) => {
  const [bigFile, smallFile] = document.querySelector('#bench-files').files
  const { flowforge, db } = window
  const named = (file) => new File([file], `${name}-${file.name}`, { type: 'text/csv' })
  const started = performance.now()
  const bigSource = await flowforge.sources.importFile({ file: named(bigFile) })
  const smallSource = await flowforge.sources.importFile({ file: named(smallFile) })
  const imported = performance.now()
  const source = (id, dataSource) => ({ id, kind: 'source', name: id, spec: { dataSource } })
  const { workflowId } = await flowforge.workflows.import({
    format: 'flowforge.workflow/1',
    name: `G1 ${name}`,
    nodes: [
      source('big', bigSource.name),
      source('small', smallSource.name),
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
  const { runId } = await flowforge.runs.start({ workflowId, reuse: 'none' })
  const { status, error } = await flowforge.runs.wait({ runId })
  const ended = performance.now()
  if (status !== 'succeeded') throw new Error(`the run ended as ${status}: ${error?.message}`)
  const [table] = await db.queryProjection({
    sql: `SELECT rows FROM artifacts WHERE run_id = ? AND kind = 'table'`,
    params: [runId]
  })
  return { rows: table.rows, importMs: imported - started, runMs: ended - drawn }
}

export const measure = (place) =>
  withBrowser(place, 'workflow', async (browser) => {
    say('workflow')
    const [big, small] = [join(place.folder, 'g1.csv'), join(place.folder, 'small.csv')]
    await writeG1(big, place.sizes.rows)
    await writeSmall(small)
    const app = await openApp(browser, place.urls, [big, small])
    const byHand = await openByHand(browser, place.urls, 'duckdb', [big, small])
    const endWatch = await watchHeap(browser, app)
    const runTheirs = () => byHand.evaluate(() => window.peer.workflow())
    // One round for each to warm up: both start their engine and compile it.
    await app.evaluate(runOurs, 'warm-up')
    await runTheirs()
    const [ours, theirs] = [[], []]
    for (let round = 0; round < place.rounds; round += 1) {
      ours.push(await app.evaluate(runOurs, `round-${round}`))
      theirs.push(await runTheirs())
    }
    const heap = await endWatch()
    if (new Set([...ours, ...theirs].map(({ rows }) => rows)).size !== 1)
      throw new Error('the results of the workflow differ in size')
    const row = (label, list, toValue) => ({ label, values: list.map(toValue) })
    const section = (id, title, toValue) => ({
      id,
      title,
      unit: 'ms',
      isHigherBetter: false,
      baseline: 'DuckDB-WASM by hand',
      rows: [row('FlowForge', ours, toValue), row('DuckDB-WASM by hand', theirs, toValue)]
    })
    const megabytes = (statSync(big).size / 1_000_000).toFixed(0)
    const size = `${place.sizes.rows} × 9, ${megabytes} MB`
    return [
      section('workflow-import', `Import of a CSV of ${size}`, ({ importMs }) => importMs),
      section('workflow-run', 'Join, group and save as CSV', ({ runMs }) => runMs),
      {
        ...section('workflow-both', 'Both', ({ importMs, runMs }) => importMs + runMs),
        notes: [`The heap of FlowForge’s page was ${heap.toFixed(0)} MB at its highest.`]
      }
    ]
  })
