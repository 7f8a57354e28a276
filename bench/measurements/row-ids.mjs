/** What it costs a run to keep which rows each row came from: the same run without and with, in turns. */
import { join } from 'node:path'
import { openApp } from '../app-page.mjs'
import { withBrowser } from '../browsers.mjs'
import { writeG1, writeSmall } from '../g1.mjs'
import { say } from '../turns.mjs'

/** In FlowForge's page. */
const draw = async () => {
  const { flowforge } = window
  const source = async (id, file) => {
    const { name } = await flowforge.sources.importFile({ file })
    return { id, kind: 'source', name: id, spec: { dataSource: name } }
  }
  const transform = (id, ...steps) => ({ id, kind: 'transform', name: id, spec: { steps } })
  const sink = (id) => ({ id, kind: 'sink', name: id, spec: { format: 'csv', fileName: `${id}.csv` } })
  const [big, small] = document.querySelector('#bench-files').files
  const { workflowId } = await flowforge.workflows.import({
    format: 'flowforge.workflow/1',
    name: 'Row ids',
    nodes: [
      await source('big', big),
      await source('small', small),
      transform(
        'some',
        { op: 'filter', where: 'v3 < 90' },
        { op: 'derive', columns: { worth: 'v1 * v3', kind: 'upper(id1)' } }
      ),
      {
        id: 'joined',
        kind: 'join',
        name: 'joined',
        spec: { type: 'inner', on: [{ left: 'id4', right: 'key' }] }
      },
      transform('sums', { op: 'aggregate', groupBy: ['label'], columns: { total: 'sum(worth)' } }),
      sink('rows'),
      sink('groups')
    ],
    edges: [
      { from: 'big', to: 'some' },
      { from: 'some', to: 'joined', toPort: 'left' },
      { from: 'small', to: 'joined', toPort: 'right' },
      { from: 'joined', to: 'rows' },
      { from: 'joined', to: 'sums' },
      { from: 'sums', to: 'groups' }
    ]
  })
  return workflowId
}

/** In FlowForge's page. */
const run = async ([workflowId, rowIds]) => {
  const { flowforge, db } = window
  const started = performance.now()
  const { runId } = await flowforge.runs.start({
    workflowId,
    reuse: 'none',
    ...(rowIds ? { rowIds: true } : {})
  })
  const { status, error } = await flowforge.runs.wait({ runId })
  const ms = performance.now() - started
  if (status !== 'succeeded') throw new Error(`the run ended as ${status}: ${error?.message}`)
  const tables = await db.queryProjection({
    sql: `SELECT node_id, sha256, rows, stats_json FROM artifacts WHERE run_id = ? AND kind = 'table' ORDER BY node_id`,
    params: [runId]
  })
  const kept = tables.map(({ stats_json: stats }) => JSON.parse(stats).rowIds?.bytes ?? 0)
  return {
    ms,
    hashes: tables.map(({ node_id: nodeId, sha256 }) => `${nodeId.split('/').at(-1)} ${sha256}`).join(),
    rows: Math.max(...tables.map(({ rows }) => rows)),
    keptBytes: kept.reduce((sum, bytes) => sum + bytes, 0)
  }
}

export const measure = (place) =>
  withBrowser(place, 'row-ids', async (browser) => {
    say('row-ids')
    const files = [join(place.folder, 'g1.csv'), join(place.folder, 'small.csv')]
    await writeG1(files[0], place.sizes.rows)
    await writeSmall(files[1])
    const app = await openApp(browser, place.urls, files)
    const workflowId = await app.evaluate(draw)
    const turns = { without: [], kept: [] }
    let last
    // The first warms up. Each begins every second round.
    for (let round = -1; round < place.rounds; round += 1) {
      const order = round % 2 === 0 ? ['without', 'kept'] : ['kept', 'without']
      const found = {}
      for (const who of order) found[who] = await app.evaluate(run, [workflowId, who === 'kept'])
      if (found.without.hashes !== found.kept.hashes) throw new Error('row ids changed what was written')
      if (found.without.keptBytes > 0 || found.kept.keptBytes === 0)
        throw new Error('row ids were not kept where they were asked for, and nowhere else')
      last = found.kept
      if (round >= 0) for (const who of order) turns[who].push(found[who].ms)
    }
    const perRow = (last.keptBytes / last.rows).toFixed(2)
    return [
      {
        id: 'row-ids',
        title: `A run of ${place.sizes.rows.toLocaleString('en')} rows (filter, derive, join, aggregate, two sinks) that keeps row ids`,
        unit: 'ms',
        isHigherBetter: false,
        baseline: 'without',
        rows: [
          { label: 'without', values: turns.without },
          { label: 'row ids kept', values: turns.kept, note: `${perRow} bytes a row, of two sources` }
        ],
        notes: ['The tables that both wrote are the same byte for byte.']
      }
    ]
  })
