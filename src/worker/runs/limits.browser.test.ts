import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'

let program: TestProgram
beforeAll(async () => {
  program = await startTestProgram(await openDbContext({ ...IN_MEMORY, newId: () => crypto.randomUUID() }))
  await program.importText('n.csv', `n\n${Array.from({ length: 60_000 }, (_, at) => at).join('\n')}\n`)
})
afterAll(() => program.close())

const workflowOf = async (query: string): Promise<string> => {
  const nodes = [
    ['in', 'source', { dataSource: 'n.csv' }],
    ['work', 'transform', { steps: [{ op: 'sql', query }] }],
    ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
  ] as const
  const edges = [
    ['in', 'work'],
    ['work', 'out']
  ] as const
  return (await program.flowforge.workflows.import(documentOf('Limited', nodes, edges))).workflowId
}

const PAIRS = 'SELECT a.n, b.n AS m FROM input a CROSS JOIN input b'
const SUM = 'SELECT sum(a.n * b.n) AS s FROM input a CROSS JOIN input b'

test.each([
  ['rows', PAIRS, { rows: 100_000 }, /wrote more than 100,000 rows/],
  ['bytes', PAIRS, { bytes: 1_000_000 }, /wrote more than 1,000,000 bytes/],
  ['time', SUM, { ms: 500 }, /took longer than 500 ms/]
])('a run that passes its limit of %s ends and says so', async (_, query, limits, words) => {
  const { status, message, runId } = await program.run({ workflowId: await workflowOf(query), limits })
  expect(status).toBe('failed')
  expect(message).toMatch(words)
  expect(message).toContain('Raise the limit')
  expect(await program.artifacts(runId)).toEqual({})
  // The engine goes on working.
  const next = await program.run({
    workflowId: await workflowOf('SELECT n FROM input LIMIT 3'),
    limits: { rows: 3 }
  })
  expect(next.status).toBe('succeeded')
})

/** 100 rows, of which one has no number. */
const HUNDRED = `v\n${Array.from({ length: 100 }, (_, at) => (at === 50 ? 'x' : at)).join('\n')}\n`
const twoSinks = async (columns: Record<string, string>): Promise<string> => {
  const nodes = [
    ['in', 'source', { dataSource: 'hundred.csv' }],
    ['all', 'sink', { format: 'csv', fileName: 'all.csv' }],
    ['work', 'transform', { steps: [{ op: 'derive', columns }] }],
    ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
  ] as const
  const edges = [
    ['in', 'all'],
    ['in', 'work'],
    ['work', 'out']
  ] as const
  return (await program.flowforge.workflows.import(documentOf('Two', nodes, edges))).workflowId
}

describe('what was written before counts towards the limits', () => {
  beforeAll(() => program.importText('hundred.csv', HUNDRED))
  const told = 'This run wrote more than 150 rows, which is its limit.'

  test('where the run is planned anew in its midst, because rows failed', async () => {
    const workflowId = await twoSinks({ n: 'CAST(v AS INTEGER)' })
    const { status, message, runId } = await program.run({ workflowId, limits: { rows: 150 } })
    expect([status, message]).toEqual(['failed', expect.stringContaining(told)])
    expect(Object.keys(await program.artifacts(runId))).toEqual(['all table', 'all file'])
    expect((await program.run({ workflowId, limits: { rows: 199 }, reuse: 'none' })).status).toBe('succeeded')
  })

  test('where it is resumed', async () => {
    const workflowId = await twoSinks({ n: 'upper(v)' })
    const { status, runId } = await program.run({ workflowId, limits: { rows: 150 }, reuse: 'none' })
    expect(status).toBe('failed')
    await program.flowforge.runs.resume({ runId })
    const again = await program.flowforge.runs.wait({ runId })
    expect(again).toMatchObject({ status: 'failed', error: { message: expect.stringContaining(told) } })
  })

  // It is planned anew, too.
  test('but not what another run wrote', async () => {
    const workflowId = await twoSinks({ n: 'CAST(v AS BIGINT)' })
    await program.run({ workflowId, reuse: 'none', until: 'all' })
    const { status } = await program.run({ workflowId, limits: { rows: 150 } })
    expect(status).toBe('succeeded')
  })
})

test('memory that runs out ends the step, says what to do, and leaves the engine working', async () => {
  const query = 'SELECT list(a.n * 1000 + b.n) AS l, a.n FROM input a CROSS JOIN input b GROUP BY a.n'
  const { status, message } = await program.run({ workflowId: await workflowOf(query) })
  expect(status).toBe('failed')
  expect(message).toMatch(/not enough memory.*Filter rows or drop columns/)
  const next = await program.run({ workflowId: await workflowOf('SELECT n FROM input LIMIT 3') })
  expect(next.status).toBe('succeeded')
}, 300_000)
