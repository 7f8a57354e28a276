import { expect, test, type BrowserContext, type Page } from '@playwright/test'
import {
  startTestService,
  type Behaviour,
  type TestService
} from '../src/worker/http/contract/test-service.ts'
import { freshProfile, openApp, openBrowser, type Profile } from './app.ts'

/** What FlowForge promises, from the call until the run has ended. */
const PROMISE_MS = 1_000

type Node = readonly [id: string, kind: string, spec: Record<string, unknown>]

/** Nodes one behind the other. */
const chain = (name: string, ...nodes: readonly Node[]) => ({
  format: 'flowforge.workflow/1',
  name,
  nodes: nodes.map(([id, kind, spec]) => ({ id, kind, name: id, spec })),
  edges: nodes.slice(1).map(([to], at) => ({ from: nodes[at]?.[0], to }))
})

const numbers: Node = ['in', 'source', { dataSource: 'numbers.csv' }]
const work = (query: string): Node => ['work', 'transform', { steps: [{ op: 'sql', query }] }]
const sink = (format: string): Node => ['out', 'sink', { format, fileName: `out.${format}` }]
const csv = sink('csv')

/** Work for minutes, of each kind. */
const ENDLESS = {
  scanning:
    "SELECT count(*) FILTER (regexp_matches(repeat(t, 400), '(b|c)+d$')) AS c FROM input, range(2000)",
  joining: 'SELECT sum(a.n * b.n) AS s FROM input a JOIN input b ON a.n % 3 = b.n % 3',
  sorting: 'SELECT a.n, b.n AS m FROM input a CROSS JOIN input b WHERE a.n < 60 ORDER BY hash(a.n * b.n)',
  'writing rows': 'SELECT a.n, b.n AS m FROM input a CROSS JOIN input b'
} as const
/** Rows that take a file of any format a while, `times` as many as the source has. */
const many = (times: number): string =>
  `SELECT a.n, b.n AS m, 'Text ' || a.n AS t FROM input a CROSS JOIN input b WHERE b.n < ${times}`

const asking = (spec: Record<string, unknown>): Node => [
  'ask',
  'http',
  {
    request: { endpoint: service.url, method: 'GET', path: '/{{n}}' },
    response: { columns: { a: '/a' } },
    ...spec
  }
]

let profile: Profile
let service: TestService
let browser: BrowserContext
let page: Page

test.beforeAll(async () => {
  profile = freshProfile()
  service = await startTestService(() => 'hang')
  browser = (await openBrowser(profile)).browser
  page = await openApp(browser, '/')
  await page.evaluate(async () => {
    const lines = Array.from({ length: 60_000 }, (_, at) => `${at},${'abc'.repeat(1 + (at % 3))}`)
    const few = Array.from({ length: 20 }, (_, at) => `${at},${at === 3 ? 'no number' : at}`)
    await window.flowforge.sources.importFile({
      file: new File([`n,t\n${lines.join('\n')}\n`], 'numbers.csv')
    })
    await window.flowforge.sources.importFile({ file: new File([`n,t\n${few.join('\n')}\n`], 'few.csv') })
  })
})
test.afterAll(async () => {
  await browser.close()
  await service.close()
  profile.remove()
})

const start = (document: ReturnType<typeof chain>): Promise<string> =>
  page.evaluate(async (given) => {
    const { workflowId } = await window.flowforge.workflows.import(given)
    return (await window.flowforge.runs.start({ workflowId })).runId
  }, document)

/** Cancels at once, and says how long it took until the run had ended. */
const cancel = (runId: string): Promise<{ status: string; ms: number }> =>
  page.evaluate(async (id) => {
    const { runs } = window.flowforge
    const began = performance.now()
    const ended = runs.wait({ runId: id })
    await runs.cancel({ runId: id })
    return { status: (await ended).status, ms: performance.now() - began }
  }, runId)

const resume = (runId: string): Promise<void> =>
  page.evaluate((id) => window.flowforge.runs.resume({ runId: id }), runId)
const ended = (runId: string) => page.evaluate((id) => window.flowforge.runs.wait({ runId: id }), runId)

const rowsOf = (sql: string, runId: string): Promise<Record<string, unknown>[]> =>
  page.evaluate(async ([query, id]) => [...(await window.db.queryProjection({ sql: query, params: [id] }))], [
    sql,
    runId
  ] as const)

/** Waits until a query about the run gives a row. */
const until = (sql: string, runId: string): Promise<void> =>
  expect
    .poll(async () => (await rowsOf(sql, runId)).length, { intervals: [10], timeout: 60_000 })
    .toBeGreaterThan(0)
const RUNNING = (nodeId: string): string =>
  `SELECT 1 FROM run_steps WHERE run_id = ? AND node_id LIKE '%/${nodeId}' AND status = 'running'`
const FILES = `SELECT 1 FROM artifacts WHERE run_id = ? AND kind = 'file' AND stats_json ->> '$.role' = 'result'`
const TABLES = `SELECT 1 FROM artifacts WHERE run_id = ? AND kind = 'table' AND stats_json ->> '$.role' = 'result'`

const expectCanceled = async (state: string, runId: string): Promise<void> => {
  const { status, ms } = await cancel(runId)
  console.log(`canceled while ${state}: ${Math.round(ms)} ms`)
  expect(status).toBe('canceled')
  expect(ms).toBeLessThan(PROMISE_MS)
  const open = await rowsOf(`SELECT id FROM run_steps WHERE run_id = ? AND status = 'running'`, runId)
  expect(open).toEqual([])
  // Whatever is listed as written is there whole.
  const tables = await rowsOf(
    `SELECT id, rows FROM artifacts WHERE run_id = ? AND kind = 'table' AND stats_json ->> '$.role' = 'result'`,
    runId
  )
  for (const { id, rows } of tables) {
    const last = await page.evaluate(
      ([artifactId, count]) => window.flowforge.artifacts.read({ artifactId, offset: count - 1, limit: 10 }),
      [String(id), Number(rows)] as const
    )
    expect(last.rows).toHaveLength(1)
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('a run that waits for another', async () => {
  const first = await start(chain('First', numbers, work(ENDLESS.joining), csv))
  await until(RUNNING('out'), first)
  const queued = await start(chain('Queued', ['in', 'source', { dataSource: 'few.csv' }], csv))
  await expectCanceled('queued', queued)
  await expectCanceled('joining, with another behind it', first)
  await resume(queued)
  expect(await ended(queued)).toEqual({ status: 'succeeded' })
})

test('a run that is being planned', async () => {
  const steps = Array.from({ length: 140 }, (_, at): Node => [
    `step${at}`,
    'transform',
    { steps: [{ op: 'derive', columns: { [`c${at}`]: `n + ${at}` } }] }
  ])
  for (const afterMs of [0, 10, 30]) {
    // What it computes takes long: it is canceled while it is planned, or right after that. A resumed run is planned anew.
    const runId = await start(chain('Long', numbers, ...steps, work(ENDLESS.joining), csv))
    await pause(afterMs)
    await expectCanceled(`planned, after ${afterMs} ms`, runId)
    await resume(runId)
    await pause(afterMs)
    await expectCanceled(`planned anew, after ${afterMs} ms`, runId)
  }
})

for (const [state, query] of Object.entries(ENDLESS)) {
  test(`a run that is ${state}, and again when it was resumed`, async () => {
    const runId = await start(chain(state, numbers, work(query), csv))
    await until(RUNNING('out'), runId)
    await pause(700)
    await expectCanceled(state, runId)
    expect(await rowsOf(FILES, runId)).toEqual([])
    await resume(runId)
    await expectCanceled(`${state}, just resumed`, runId)
    await resume(runId)
    await until(RUNNING('out'), runId)
    await pause(300)
    await expectCanceled(`${state}, resumed`, runId)
  })
}

/** How many rows for each of the source's: what takes two seconds and more to write, so that it is met in the midst. */
const TIMES = { csv: 60, json: 30, ndjson: 30, xlsx: 4, parquet: 60, arrow: 60 } as const
for (const [format, times] of Object.entries(TIMES)) {
  test(`a run that writes ${format}`, async () => {
    const runId = await start(chain(format, numbers, work(many(times)), sink(format)))
    await until(TABLES, runId)
    await expectCanceled(`writing ${format}`, runId)
    expect(await rowsOf(FILES, runId)).toEqual([])
    await resume(runId)
    expect(await ended(runId)).toEqual({ status: 'succeeded' })
    expect(await rowsOf(FILES, runId)).toHaveLength(1)
  })
}

test('a run that writes a dataset', async () => {
  const dataset: Node = ['out', 'sink', { dataset: { name: 'Many', mode: 'replace' } }]
  const runId = await start(chain('dataset', numbers, work(many(60)), dataset))
  await until(TABLES, runId)
  await expectCanceled('writing a dataset', runId)
  expect(
    await page.evaluate(() =>
      window.db.queryProjection({ sql: `SELECT 1 FROM datasets WHERE name = 'Many'` })
    )
  ).toHaveLength(0)
  await resume(runId)
  expect(await ended(runId)).toEqual({ status: 'succeeded' })
})

const WAITS: readonly (readonly [state: string, behaviour: Behaviour, spec: Record<string, unknown>])[] = [
  ['waiting for a service', () => 'hang', {}],
  ['waiting as Retry-After says', () => ({ status: 429, headers: { 'retry-after': '60' } }), {}],
  ['waiting to try again', () => ({ status: 500 }), { retry: { times: 5, backoffMs: 50_000 } }],
  ['waiting for its pace', () => ({ body: '{"a":"1"}' }), { ratePerSecond: 0.05 }],
  // It drops what it is asked blindly as well.
  ['asking again and again', () => 'drop', { retry: { times: 9, backoffMs: 200 } }]
]
for (const [state, behaviour, spec] of WAITS) {
  test(`a run that is ${state}`, async () => {
    service.behave(behaviour)
    const before = service.seen.length
    const runId = await start(chain(state, ['in', 'source', { dataSource: 'few.csv' }], asking(spec), csv))
    await expect.poll(() => service.seen.length, { intervals: [10] }).toBeGreaterThan(before)
    await pause(300)
    await expectCanceled(state, runId)
    expect(await rowsOf(FILES, runId)).toEqual([])
    if (spec['ratePerSecond'] !== undefined) return
    service.behave(() => ({ body: '{"a":"1"}' }))
    await resume(runId)
    expect(await ended(runId)).toEqual({ status: 'succeeded' })
  })
}

test('a run that tries each row because an expression fails', async () => {
  const cast: Node = [
    'cast',
    'transform',
    { steps: [{ op: 'derive', columns: { x: 'CAST(t AS INTEGER)' } }] }
  ]
  const slow = work('SELECT sum(a.x * b.i) AS s FROM input a, range(10000000) b(i), range(1000) c(j)')
  const runId = await start(chain('trying', ['in', 'source', { dataSource: 'few.csv' }], cast, slow, csv))
  await until(`SELECT 1 FROM run_logs WHERE run_id = ? AND message LIKE 'An expression fails%'`, runId)
  await pause(500)
  await expectCanceled('trying each row', runId)
})

test('a run that repeats another one', async () => {
  const first = await start(chain('repeated', numbers, work(many(60)), csv))
  expect(await ended(first)).toEqual({ status: 'succeeded' })
  const verify = () => page.evaluate((id) => window.flowforge.runs.verify({ runId: id }), first)
  const { runId: early } = await verify()
  await until(TABLES, early)
  await expectCanceled('repeating', early)
  const { runId: late } = await verify()
  await until(FILES, late)
  // It may have been quicker than the question whether it is there yet.
  const { status, ms } = await cancel(late)
  console.log(`canceled while comparing: ${status}, ${Math.round(ms)} ms`)
  expect(ms).toBeLessThan(PROMISE_MS)
  expect((await verify()).runId).not.toBe(late)
})
