import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { IN_MEMORY } from './engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './runs/contract/test-program.ts'

let context: DbContext
let program: TestProgram
beforeAll(async () => {
  const { newId: _, ...memory } = IN_MEMORY
  context = await openDbContext({ ...memory, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
  // Bob twice: equal rows, each with a request of its own.
  await program.importText('people.csv', 'who,least\na,15\nb,1\nb,1\nc,1\n')
})
afterAll(() => program.close())

/** The server that these tests come from is a service, too: it answers with files. */
const request = {
  endpoint: globalThis.location.origin,
  method: 'GET',
  path: '/src/worker/http/fixtures/people/{{who}}.json'
}
const documentWith = (spec: Record<string, unknown>) =>
  documentOf(
    'Orders of people',
    [
      ['people', 'source', { dataSource: 'people.csv' }],
      ['ask', 'http', { request, onError: 'reject', ...spec }],
      ['enough', 'transform', { steps: [{ op: 'filter', where: 'sum >= least' }] }],
      ['sums', 'transform', { steps: [{ op: 'derive', columns: { twice: 'sum * 2' } }] }],
      ['out', 'sink', { format: 'csv', fileName: 'out.csv' }],
      ['bad', 'sink', { format: 'csv', fileName: 'bad.csv' }]
    ],
    [
      ['people', 'ask'],
      ['ask', 'enough'],
      ['enough', 'sums'],
      ['sums', 'out'],
      ['ask.rejected', 'bad']
    ]
  )
const response = {
  columns: { name: '/name', sum: '/sum' },
  explode: '/orders',
  types: { sum: 'integer' }
}
const EXPLODED = { response: { ...response, columns: { sum: '/sum' } } }

const artifactOf = async (runId: string, nodeId: string): Promise<string> => {
  const [row] = await context.projectionStore.query({
    sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/' || ?`,
    params: [runId, nodeId]
  })
  return String(row?.['id'])
}
const sentBy = async (runId: string) =>
  context.projectionStore.query({
    sql: `SELECT q.id, q.request_json ->> '$.url' AS url FROM request_executions q
      JOIN run_steps s ON s.id = q.run_step_id WHERE s.run_id = ?`,
    params: [runId]
  })
const idsOf = (sent: Awaited<ReturnType<typeof sentBy>>, who: string) =>
  sent.filter(({ url }) => String(url).endsWith(`/${who}.json`)).map(({ id }) => id)

describe.each([
  ['a request for each row', {}, 2],
  ['a request for each key', { per: 'distinct' }, 1]
])('with %s', (_, spec, requestsOfBob) => {
  let runId = ''
  let sent: Awaited<ReturnType<typeof sentBy>> = []
  beforeAll(async () => {
    const { workflowId } = await program.flowforge.workflows.import(documentWith({ ...EXPLODED, ...spec }))
    const run = await program.run({ workflowId })
    expect(run.message).toBeUndefined()
    runId = run.runId
    sent = await sentBy(runId)
  }, 120_000)

  test('a value names the answer, the element in it, and the row that asked', async () => {
    const rows = await program.rows(runId, 'out')
    expect(rows.map(({ who, twice }) => [who, twice])).toEqual([
      ['a', 40],
      ['b', 10],
      ['b', 10]
    ])
    const told = await program.flowforge.explain.cell({
      artifactId: await artifactOf(runId, 'out'),
      row: 0,
      column: 'twice'
    })
    const asked = told.steps.find(({ nodeId }) => nodeId === 'ask')
    expect(asked?.total).toBe(1)
    expect(asked?.responses).toEqual([
      {
        request: {
          requestId: idsOf(sent, 'a')[0],
          method: 'GET',
          url: expect.stringContaining('/a.json'),
          status: 200,
          at: expect.any(String),
          ms: expect.any(Number)
        },
        status: 200,
        reason: null,
        rows: 1,
        pointers: [{ column: 'sum', pointer: '/orders/1/sum' }]
      }
    ])
    expect(told.steps.at(-1)).toMatchObject({ nodeId: 'people', rowNumbers: [1], rows: [{ who: 'a' }] })
    expect(await sentBy(runId), 'nothing was sent').toHaveLength(sent.length)
  })

  test('equal rows name the answer to the request of their own', async () => {
    const named = await Promise.all(
      [1, 2].map(async (row) => {
        const artifactId = await artifactOf(runId, 'out')
        const { steps } = await program.flowforge.explain.cell({ artifactId, row, column: 'sum' })
        return [
          steps.find(({ nodeId }) => nodeId === 'ask')?.responses.map(({ request: of }) => of?.requestId),
          steps.at(-1)?.rowNumbers
        ]
      })
    )
    expect(named.map(([, numbers]) => numbers)).toEqual([[2], [3]])
    const ids = named.map(([responses]) => responses).flat()
    expect(new Set(ids)).toEqual(new Set(idsOf(sent, 'b')))
    expect(new Set(ids).size).toBe(requestsOfBob)
  })

  test('a missing row names the answer that could not be used', async () => {
    const found = await program.flowforge.explain.missing({ runId, nodeId: 'out', key: { who: 'c' } })
    expect(found.outcome).toBe('lost')
    const last = found.steps.at(-1)
    expect(last).toMatchObject({ nodeId: 'ask', rowsIn: 1, rowsOut: 0 })
    expect(last?.elsewhere).toEqual([{ port: 'rejected', rows: 1 }])
    expect(last?.responses).toMatchObject([
      { request: { requestId: idsOf(sent, 'c')[0] }, status: 200, rows: 1 }
    ])
    expect(last?.responses[0]?.reason).toContain('there is no list at "/orders"')
  })

  test('a rejected row names it, too', async () => {
    const { steps } = await program.flowforge.explain.cell({
      artifactId: await artifactOf(runId, 'bad'),
      row: 0,
      column: '_reason'
    })
    expect(steps.find(({ nodeId }) => nodeId === 'ask')?.responses).toMatchObject([
      { request: { requestId: idsOf(sent, 'c')[0] }, reason: expect.stringContaining('no list') }
    ])
    expect(steps.at(-1)).toMatchObject({ nodeId: 'people', rowNumbers: [4] })
  })

  test('a replay of the run names the answers of the run that it replays', async () => {
    const again = await program.flowforge.runs.verify({ runId })
    expect(await program.flowforge.runs.wait({ runId: again.runId })).toEqual({ status: 'succeeded' })
    const artifactId = await artifactOf(again.runId, 'out')
    const { steps } = await program.flowforge.explain.cell({ artifactId, row: 0, column: 'sum' })
    expect(
      steps.find(({ nodeId }) => nodeId === 'ask')?.responses.map(({ request: of }) => of?.requestId)
    ).toEqual(idsOf(sent, 'a'))
  })
})

test('the place of an element in a column of its own tells elements apart, whatever becomes of the column', async () => {
  const spec = { ...EXPLODED, response: { ...EXPLODED.response, indexTo: 'place' } }
  const { workflowId } = await program.flowforge.workflows.import(
    documentOf(
      'Places',
      [
        ['people', 'source', { dataSource: 'people.csv' }],
        ['ask', 'http', { request, onError: 'reject', ...spec }],
        ['change', 'transform', { steps: [{ op: 'derive', columns: { place: '7', twice: 'sum * 2' } }] }],
        ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
      ],
      [
        ['people', 'ask'],
        ['ask', 'change'],
        ['change', 'out']
      ]
    )
  )
  const { runId, message } = await program.run({ workflowId })
  expect(message).toBeUndefined()
  const rows = await program.rows(runId, 'out')
  const row = rows.findIndex(({ who, sum }) => who === 'a' && sum === 20)
  const { steps } = await program.flowforge.explain.cell({
    artifactId: await artifactOf(runId, 'out'),
    row,
    column: 'twice'
  })
  const asked = steps.find(({ nodeId }) => nodeId === 'ask')
  expect(asked).toMatchObject({ total: 1, rows: [{ sum: 20 }] })
  expect(asked?.responses.map(({ pointers }) => pointers)).toEqual([
    [{ column: 'sum', pointer: '/orders/1/sum' }]
  ])
  expect(steps.at(-1)).toMatchObject({ nodeId: 'people', rowNumbers: [1] })
})
