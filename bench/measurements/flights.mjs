/** Three million flights (Parquet) joined with airports (CSV): both of vega-datasets. Beside it the same by hand. */
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { importFiles, openApp, openByHand } from '../app-page.mjs'
import { withBrowser } from '../browsers.mjs'
import { benchFolder } from '../setup.mjs'
import { median, say } from '../turns.mjs'

const BY_HAND = 'DuckDB-WASM by hand'
const SQL = `SELECT state, count(*) AS flights, avg(delay) AS delay, avg(distance) AS distance
  FROM flights JOIN airports ON flights.origin = airports.iata GROUP BY state ORDER BY state`

const data = join(benchFolder, 'node_modules/vega-datasets/data')
const FILES = [join(data, 'flights-3m.parquet'), join(data, 'airports.csv')]

/** In FlowForge's page. */
const draw = async ([flights, airports]) => {
  const source = (id, dataSource) => ({ id, kind: 'source', name: id, spec: { dataSource } })
  const { workflowId } = await window.flowforge.workflows.import({
    format: 'flowforge.workflow/1',
    name: 'flights',
    nodes: [
      source('flights', flights),
      source('airports', airports),
      {
        id: 'joined',
        kind: 'join',
        name: 'joined',
        spec: { type: 'inner', on: [{ left: 'origin', right: 'iata' }] }
      },
      {
        id: 'states',
        kind: 'transform',
        name: 'states',
        spec: {
          steps: [
            {
              op: 'aggregate',
              groupBy: ['state'],
              columns: { flights: 'count(*)', delay: 'avg(delay)', distance: 'avg(distance)' }
            },
            { op: 'sort', by: [{ column: 'state' }] }
          ]
        }
      },
      { id: 'result', kind: 'sink', name: 'result', spec: { format: 'csv', fileName: 'states.csv' } }
    ],
    edges: [
      { from: 'flights', to: 'joined', toPort: 'left' },
      { from: 'airports', to: 'joined', toPort: 'right' },
      { from: 'joined', to: 'states' },
      { from: 'states', to: 'result' }
    ]
  })
  return workflowId
}

/** In FlowForge's page. */
const run = async (workflowId) => {
  const { flowforge, db } = window
  const started = performance.now()
  const { runId } = await flowforge.runs.start({ workflowId, reuse: 'none' })
  const { status, error } = await flowforge.runs.wait({ runId })
  const ms = performance.now() - started
  if (status !== 'succeeded') throw new Error(`the run ended as ${status}: ${error?.message}`)
  const [table] = await db.queryProjection({
    sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table'`,
    params: [runId]
  })
  const blob = await flowforge.artifacts.save({ artifactId: table.id, format: 'csv' })
  const [head, ...lines] = (await blob.text()).trim().split('\n')
  const columns = head.trim().split(',')
  const sum = (name) =>
    lines.reduce((total, line) => total + Number(line.split(',')[columns.indexOf(name)]), 0)
  return { ms, rows: lines.length, flights: sum('flights'), delay: sum('delay') }
}

const askNative = async () => {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  await connection.run(`CREATE VIEW flights AS FROM '${FILES[0]}'`)
  await connection.run(`CREATE VIEW airports AS FROM read_csv('${FILES[1]}')`)
  return async () => {
    const started = performance.now()
    const rows = (await connection.runAndReadAll(SQL)).getRows()
    const sum = (at) => rows.reduce((total, row) => total + Number(row[at]), 0)
    return { ms: performance.now() - started, rows: rows.length, flights: sum(1), delay: sum(2) }
  }
}

const isSame = (left, right) =>
  left.rows === right.rows && left.flights === right.flights && Math.abs(left.delay - right.delay) < 1e-6

export const measure = (place) =>
  withBrowser(place, 'flights', async (browser) => {
    say('flights')
    const app = await openApp(browser, place.urls, FILES)
    const byHand = await openByHand(browser, place.urls, 'flights', FILES)
    await byHand.evaluate(() => window.peer.open())
    const native = await askNative()
    const { names, ms: importMs } = await app.evaluate(importFiles)
    const loadMs = await byHand.evaluate(() => window.peer.load())
    const workflowId = await app.evaluate(draw, names)
    const turns = { ours: [], theirs: [], native: [] }
    for (let round = -1; round < place.rounds; round += 1) {
      const found = {
        ours: await app.evaluate(run, workflowId),
        theirs: await byHand.evaluate((sql) => window.peer.ask(sql), SQL),
        native: await native()
      }
      for (const [who, answer] of Object.entries(found)) {
        if (!isSame(answer, found.native))
          throw new Error(`${who}: ${JSON.stringify(answer)} and not ${JSON.stringify(found.native)}`)
        // The first warms up: each has its engine started and its tables filled.
        if (round >= 0) turns[who].push(answer.ms)
      }
    }
    const section = (id, title, rows) => ({
      id,
      title,
      unit: 'ms',
      isHigherBetter: false,
      baseline: BY_HAND,
      rows
    })
    return [
      section('flights-import', 'Three million flights and 3,376 airports: files to tables', [
        { label: 'FlowForge', values: [importMs], note: 'kept under their hash, counted' },
        { label: BY_HAND, values: [loadMs], note: 'Parquet by parquet-wasm' }
      ]),
      section('flights-run', 'Flights joined with airports, grouped by state, saved as CSV', [
        { label: 'FlowForge', values: turns.ours },
        { label: BY_HAND, values: turns.theirs },
        {
          label: 'native DuckDB',
          values: turns.native,
          note: 'in Node, all cores, from the Parquet file; nothing is saved'
        }
      ]),
      section('flights-both', 'Both', [
        { label: 'FlowForge', values: [importMs + median(turns.ours)] },
        { label: BY_HAND, values: [loadMs + median(turns.theirs)] }
      ])
    ]
  })
