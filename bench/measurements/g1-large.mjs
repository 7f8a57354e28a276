/**
 * The questions of db-benchmark on ten times as many rows, each asked once: how long it takes and how large the engine's
 * memory grows. What does not fit is written down with what the person is told.
 */
import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openApp, openByHand } from '../app-page.mjs'
import { withBrowser } from '../browsers.mjs'
import { GROUPINGS, JOINS, QUESTIONS, TABLES } from '../g1-queries.mjs'
import { writeG1, writeJoins } from '../g1.mjs'
import { reasonOf, say } from '../turns.mjs'
import { askOracle, checkAnswer, compareWhole, drawOurs } from './g1.mjs'

const BY_HAND = 'DuckDB-WASM by hand'
/** Answers of more rows are counted, and not compared row by row. */
const COMPARED = 1_000_000

/** In FlowForge's page: "run to here", and what the run's steps say of the engine's memory. */
const askOurs = async ([workflowId, nodeId]) => {
  const { flowforge, db } = window
  const started = performance.now()
  const { runId } = await flowforge.runs.start({ workflowId, until: nodeId, reuse: 'none' })
  const { status, error } = await flowforge.runs.wait({ runId })
  const ms = performance.now() - started
  if (status !== 'succeeded') return { error: `${status}: ${error?.message}` }
  const steps = await db.queryProjection({
    sql: 'SELECT stats_json AS stats FROM run_steps WHERE run_id = ?',
    params: [runId]
  })
  const memory = Math.max(...steps.map(({ stats }) => JSON.parse(stats ?? '{}').memoryBytes ?? 0))
  const [artifact] = await db.queryProjection({
    sql: `SELECT id, rows FROM artifacts WHERE run_id = ? AND kind = 'table'`,
    params: [runId]
  })
  return { ms, memory, artifactId: artifact.id, rows: artifact.rows }
}

const askFlowForge = async (browser, { urls, folder }, files, { connection, answers }) => {
  const page = await openApp(browser, urls, files)
  const { workflowId, importMs } = await page.evaluate(drawOurs, [GROUPINGS, JOINS, TABLES])
  const found = new Map()
  for (const question of QUESTIONS) {
    const { id } = question
    say(`g1-large: FlowForge, ${id}`)
    const answer = await page.evaluate(askOurs, [workflowId, id])
    found.set(id, answer)
    if (answer.error !== undefined) {
      say(`g1-large: FlowForge, ${id}: ${answer.error}`)
      continue
    }
    const expected = answers.get(id).rows
    if (answer.rows !== expected) throw new Error(`${id}: ${answer.rows} rows and not ${expected}`)
    if (expected <= COMPARED) await compareWhole(page, { connection, folder }, question, answer.artifactId)
  }
  await page.close()
  return { found, importMs }
}

/** The tables of the groupings and those of the joins have a page of their own: all of them would not fit. */
const askByHand = async (browser, { urls }, paths, answers) => {
  const found = new Map()
  let importMs = 0
  for (const [tables, questions] of [
    [['x'], GROUPINGS],
    [TABLES.filter((name) => name !== 'x'), JOINS]
  ]) {
    const files = tables.map((name) => paths[name])
    const open = async () => {
      const page = await openByHand(browser, urls, 'g1-duckdb', files)
      await page.evaluate(() => window.peer.open())
      return { page, ms: await page.evaluate((names) => window.peer.load(names), tables) }
    }
    let opened
    for (const question of questions) {
      say(`g1-large: ${BY_HAND}, ${question.id}`)
      try {
        if (opened === undefined) {
          opened = await open()
          if (question === questions[0]) importMs += opened.ms
        }
        const answer = await opened.page.evaluate((asked) => window.peer.ask(asked), question)
        checkAnswer(BY_HAND, question, answer, answers.get(question.id))
        found.set(question.id, answer)
      } catch (thrown) {
        found.set(question.id, { error: reasonOf(thrown) })
        say(`g1-large: ${BY_HAND}, ${question.id}: ${reasonOf(thrown)}`)
        // What ran out of memory has none for the next question either.
        await opened?.page.close()
        opened = undefined
      }
    }
    await opened?.page.close()
  }
  return { found, importMs }
}

const seconds = (answer) =>
  answer.error === undefined ? (answer.ms / 1_000).toFixed(1) : `not answered: ${answer.error.slice(0, 200)}`

const timesOf = (own, hand) =>
  own.error === undefined && hand.error === undefined ? `${(own.ms / hand.ms).toFixed(2)} ×` : '–'

const memoryOf = ({ error, memory }) => (error === undefined ? (memory / 1e6).toFixed(0) : '–')

/** A line a question: its own section for each would say less. */
const tableOf = (ours, theirs) =>
  [
    ['', 'FlowForge, s', `${BY_HAND}, s`, 'to by hand', 'FlowForge: WebAssembly memory, MB'],
    Array.from({ length: 5 }, () => '---'),
    ...QUESTIONS.map(({ id, title }) => {
      const [own, hand] = [ours.get(id), theirs.get(id)]
      return [`${id}: ${title}`, seconds(own), seconds(hand), timesOf(own, hand), memoryOf(own)]
    })
  ]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')

export const measure = (place) =>
  withBrowser(place, 'g1-large', async (browser) => {
    const rows = place.sizes.largeRows
    say('g1-large: writing the tables')
    const paths = Object.fromEntries(TABLES.map((name) => [name, join(place.folder, `large-${name}.csv`)]))
    await writeG1(paths.x, rows)
    await writeJoins(paths, rows)
    const files = TABLES.map((name) => paths[name])
    const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0)
    say('g1-large: asking native DuckDB')
    const oracle = await askOracle(paths)
    const ours = await askFlowForge(browser, place, files, oracle)
    const theirs = await askByHand(browser, place, paths, oracle.answers)
    for (const path of files) rmSync(path)
    const known = ({ found }) => [...found.values()].filter(({ error }) => error === undefined).length
    return [
      {
        id: 'g1-large',
        title: `db-benchmark on ${rows.toLocaleString('en')} rows: each question once, with its memory`,
        unit: 's',
        isHigherBetter: false,
        baseline: BY_HAND,
        rows: [],
        notes: [
          `Five files, ${(bytes / 1e9).toFixed(2)} GB. FlowForge keeps small files as tables and scans large ones where they lie, for every question anew: its import took ${(ours.importMs / 1_000).toFixed(1)} s. By hand all are tables in memory, those of the groupings and those of the joins on a page each: they took ${(theirs.importMs / 1_000).toFixed(1)} s.`,
          tableOf(ours.found, theirs.found),
          `FlowForge answered ${known(ours)} of ${QUESTIONS.length}, DuckDB-WASM by hand ${known(theirs)}. Answers of up to ${COMPARED.toLocaleString('en')} rows were compared with native DuckDB’s row by row, the others counted. An engine that has grown past a gigabyte is ended between two runs.`
        ]
      }
    ]
  })
