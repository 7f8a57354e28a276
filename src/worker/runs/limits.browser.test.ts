import { afterAll, beforeAll, expect, test } from 'vitest'
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

test('memory that runs out ends the step, says what to do, and leaves the engine working', async () => {
  const query = 'SELECT list(a.n * 1000 + b.n) AS l, a.n FROM input a CROSS JOIN input b GROUP BY a.n'
  const { status, message } = await program.run({ workflowId: await workflowOf(query) })
  expect(status).toBe('failed')
  expect(message).toMatch(/not enough memory.*Filter rows or drop columns/)
  const next = await program.run({ workflowId: await workflowOf('SELECT n FROM input LIMIT 3') })
  expect(next.status).toBe('succeeded')
}, 300_000)
