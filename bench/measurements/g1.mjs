/**
 * The questions of db-benchmark as workflows, each beside DuckDB-WASM by hand, and what people use instead; every answer is
 * compared with native DuckDB's.
 */
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { openApp, openByHand } from '../app-page.mjs'
import { withBrowser } from '../browsers.mjs'
import { GROUPINGS, JOINS, QUESTIONS, TABLES } from '../g1-queries.mjs'
import { writeG1, writeJoins } from '../g1.mjs'
import { median, reasonOf, say } from '../turns.mjs'

const OTHERS = [
  { id: 'g1-sqlite', name: 'SQLite-WASM (in memory)' },
  { id: 'g1-arquero', name: 'Arquero' },
  { id: 'g1-danfo', name: 'Danfo.js' },
  { id: 'g1-lodash', name: 'Papa Parse and lodash' },
  { id: 'g1-items', name: 'JSON items, node by node' }
]
/** How long one of the others may take for one question, in ms: what takes longer is left out, and said. */
const PATIENCE = 90_000

const named = (label) => ({ label })

/** What native DuckDB answers, by question: the count of rows and the sum over the columns that are checked. */
export const askOracle = async (paths) => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  for (const name of TABLES) await connection.run(`CREATE TABLE ${name} AS FROM read_csv('${paths[name]}')`)
  const answers = new Map()
  for (const { id, sql, check } of QUESTIONS) {
    await connection.run(`CREATE OR REPLACE TABLE answer_${id} AS ${sql}`)
    const sums = check.map(
      (column) => `coalesce(sum(CASE WHEN isfinite(${column}::DOUBLE) THEN ${column}::DOUBLE END), 0)`
    )
    const reader = await connection.runAndReadAll(
      `SELECT count(*)::INTEGER, ${sums.join(' + ')} FROM answer_${id}`
    )
    const [row] = reader.getRows()
    answers.set(id, { rows: Number(row[0]), sum: Number(row[1]) })
  }
  return { connection, answers }
}

const isClose = (left, right) => Math.abs(left - right) <= 1e-6 * Math.max(1, Math.abs(left), Math.abs(right))

export const checkAnswer = (who, { id }, found, expected) => {
  if (found.rows === expected.rows && isClose(found.sum, expected.sum)) return
  throw new Error(`${who}, ${id}: ${JSON.stringify(found)} and not ${JSON.stringify(expected)}`)
}

/** In FlowForge's page: one workflow with a node for each question. */
export const drawOurs = async ([groupings, joins, tables]) => {
  const files = [...document.querySelector('#bench-files').files]
  const { flowforge } = window
  const started = performance.now()
  const names = []
  for (const file of files) names.push((await flowforge.sources.importFile({ file })).name)
  const importMs = performance.now() - started
  const sources = tables.map((id, index) => ({
    id,
    kind: 'source',
    name: id,
    spec: { dataSource: names[index] }
  }))
  const nodes = [
    ...sources,
    ...groupings.map(({ id, steps }) => ({ id, kind: 'transform', name: id, spec: { steps } })),
    ...joins.map(({ id, type, key }) => ({
      id,
      kind: 'join',
      name: id,
      spec: { type, on: [{ left: key, right: key }] }
    }))
  ]
  const edges = [
    ...groupings.map(({ id }) => ({ from: 'x', to: id })),
    ...joins.flatMap(({ id, with: other }) => [
      { from: 'j', to: id, toPort: 'left' },
      { from: other, to: id, toPort: 'right' }
    ])
  ]
  const { workflowId } = await flowforge.workflows.import({
    format: 'flowforge.workflow/1',
    name: 'db-benchmark',
    nodes,
    edges
  })
  return { workflowId, importMs }
}

/** In FlowForge's page: "run to here"; the answer is an artifact in the origin's own file system. */
const askOurs = async ([workflowId, nodeId]) => {
  const { flowforge, db } = window
  const started = performance.now()
  // An answer that an earlier run gave would be taken from there.
  const { runId } = await flowforge.runs.start({ workflowId, until: nodeId, reuse: 'none' })
  const { status, error } = await flowforge.runs.wait({ runId })
  const ms = performance.now() - started
  if (status !== 'succeeded') throw new Error(`${nodeId}: ${status}: ${error?.message}`)
  const [artifact] = await db.queryProjection({
    sql: `SELECT id, rows FROM artifacts WHERE run_id = ? AND kind = 'table'`,
    params: [runId]
  })
  return { ms, artifactId: artifact.id, rows: artifact.rows }
}

/** The whole answer, row by row, against the oracle's: doubles may differ in their last digits. */
export const compareWhole = async (page, { connection, folder }, { id, check, with: other }, artifactId) => {
  const downloading = page.waitForEvent('download')
  await page.evaluate(
    async ([artifact, name]) => {
      const blob = await window.flowforge.artifacts.save({ artifactId: artifact, format: 'csv' })
      const link = document.createElement('a')
      Object.assign(link, { href: URL.createObjectURL(blob), download: name })
      link.click()
    },
    [artifactId, `${id}.csv`]
  )
  const path = join(folder, `${id}-answer.csv`)
  await (await downloading).saveAs(path)
  const described = await connection.runAndReadAll(`DESCRIBE answer_${id}`)
  const columns = described.getRows().map(([name]) => String(name))
  // A mean of six digits may stand just between two of them: an odd offset keeps both answers on one side.
  const rounded = (name) =>
    check.includes(name) ? `floor(${name}::DOUBLE * 1e6 + 0.318309886) AS ${name}` : name
  const select = columns.map(rounded).join(', ')
  const ours = `SELECT ${select} FROM read_csv('${path}', all_varchar = false, sample_size = -1)`
  const theirs = `SELECT ${select} FROM answer_${id}`
  const difference = await connection.runAndReadAll(
    `SELECT count(*)::INTEGER FROM ((${ours} EXCEPT ALL ${theirs}) UNION ALL (${theirs} EXCEPT ALL ${ours}))`
  )
  const [[count]] = difference.getRows()
  if (Number(count) > 0) throw new Error(`${id}${other ?? ''}: ${count} rows differ from native DuckDB's`)
}

const openPeer = async (browser, urls, id, files) => {
  const page = await openByHand(browser, urls, id, files)
  await page.evaluate(() => window.peer.open())
  return page
}

const withPatience = (work) =>
  Promise.race([
    work,
    new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`did not end within ${PATIENCE / 1000} s`)), PATIENCE)
    })
  ])

/** One of the others, once: it is slow enough for that. Stops at the first question that takes too long. */
const askOther = async (browser, urls, other, files, answers) => {
  const found = { times: new Map(), errors: new Map(), loadMs: undefined }
  const page = await openPeer(browser, urls, other.id, files)
  try {
    found.loadMs = await withPatience(page.evaluate((names) => window.peer.load(names), TABLES))
    for (const question of QUESTIONS) {
      try {
        const answer = await withPatience(page.evaluate((asked) => window.peer.ask(asked), question))
        checkAnswer(other.name, question, answer, answers.get(question.id))
        found.times.set(question.id, answer.ms)
      } catch (thrown) {
        found.errors.set(question.id, reasonOf(thrown))
        say(`${other.name}, ${question.id}: ${reasonOf(thrown)}`)
        if (/did not end|crash|closed/.test(String(thrown))) break
      }
    }
  } catch (thrown) {
    found.errors.set('load', reasonOf(thrown))
    say(`${other.name}: ${reasonOf(thrown)}`)
  } finally {
    await Promise.race([page.close(), new Promise((resolve) => setTimeout(resolve, 5_000))])
  }
  return found
}

const sectionOf = (question, ours, theirs, others) => ({
  id: `g1-${question.id}`,
  title: `${question.id}: ${question.title}`,
  unit: 'ms',
  isHigherBetter: false,
  baseline: 'DuckDB-WASM by hand',
  rows: [
    { label: 'FlowForge', values: ours },
    { label: 'DuckDB-WASM by hand', values: theirs },
    ...others.map(({ other, found }) => {
      const ms = found.times.get(question.id)
      const why =
        found.errors.get(question.id) ??
        found.errors.get('load') ??
        'not asked: an earlier question did not end'
      return ms === undefined
        ? { ...named(other.name), values: [], note: why }
        : { ...named(other.name), values: [ms] }
    })
  ]
})

export const measure = (place) =>
  withBrowser(place, 'g1', async (browser) => {
    say('g1: writing the tables')
    const paths = Object.fromEntries(TABLES.map((name) => [name, join(place.folder, `g1-${name}.csv`)]))
    await writeG1(paths.x, place.sizes.rows)
    await writeJoins(paths, place.sizes.rows)
    const files = TABLES.map((name) => paths[name])
    const { connection, answers } = await askOracle(paths)
    const app = await openApp(browser, place.urls, files)
    const byHand = await openPeer(browser, place.urls, 'g1-duckdb', files)
    const { workflowId, importMs } = await app.evaluate(drawOurs, [GROUPINGS, JOINS, TABLES])
    const byHandMs = await byHand.evaluate((names) => window.peer.load(names), TABLES)
    const times = new Map(QUESTIONS.map(({ id }) => [id, { ours: [], theirs: [] }]))
    for (let round = -1; round < place.rounds; round += 1) {
      say(round < 0 ? 'g1: once to warm up, every answer compared' : `g1: round ${round + 1}`)
      for (const question of QUESTIONS) {
        const own = await app.evaluate(askOurs, [workflowId, question.id])
        const hand = await byHand.evaluate((asked) => window.peer.ask(asked), question)
        checkAnswer('DuckDB-WASM by hand', question, hand, answers.get(question.id))
        if (own.rows !== hand.rows) throw new Error(`${question.id}: ${own.rows} rows and not ${hand.rows}`)
        if (round < 0) await compareWhole(app, { connection, folder: place.folder }, question, own.artifactId)
        else {
          times.get(question.id).ours.push(own.ms)
          times.get(question.id).theirs.push(hand.ms)
        }
      }
    }
    await app.close()
    await byHand.close()
    const others = []
    for (const other of OTHERS) {
      say(`g1: ${other.name}`)
      others.push({ other, found: await askOther(browser, place.urls, other, files, answers) })
    }
    const sections = QUESTIONS.map((question) => {
      const { ours, theirs } = times.get(question.id)
      return sectionOf(question, ours, theirs, others)
    })
    const total = (list) => list.reduce((sum, values) => sum + median(values), 0)
    const ask = ({ found }, ids) =>
      ids.every((id) => found.times.has(id)) ? [ids.reduce((sum, id) => sum + found.times.get(id), 0)] : []
    const ids = QUESTIONS.map(({ id }) => id)
    const loads = {
      id: 'g1-load',
      title: `db-benchmark: files to tables (${place.sizes.rows.toLocaleString('en')} rows)`,
      unit: 'ms',
      isHigherBetter: false,
      baseline: 'DuckDB-WASM by hand',
      rows: [
        { label: 'FlowForge', values: [importMs], note: 'kept under their hash, profiled and counted' },
        { label: 'DuckDB-WASM by hand', values: [byHandMs] },
        ...others.map(({ other, found }) => ({
          label: other.name,
          values: found.loadMs === undefined ? [] : [found.loadMs],
          note: found.errors.get('load')
        }))
      ]
    }
    const all = {
      id: 'g1-all',
      title: 'db-benchmark: all fifteen questions',
      unit: 'ms',
      isHigherBetter: false,
      baseline: 'DuckDB-WASM by hand',
      rows: [
        { label: 'FlowForge', values: [total([...times.values()].map(({ ours }) => ours))] },
        { label: 'DuckDB-WASM by hand', values: [total([...times.values()].map(({ theirs }) => theirs))] },
        ...others.map((each) => ({
          label: each.other.name,
          values: ask(each, ids),
          note: 'where it answered them all'
        }))
      ],
      notes: [
        'Every answer of FlowForge was compared with native DuckDB’s, row by row, doubles to six digits after the point.'
      ]
    }
    return [loads, ...sections, all]
  })
