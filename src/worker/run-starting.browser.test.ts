import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { IN_MEMORY } from './engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './runs/contract/test-program.ts'

let context: DbContext
let program: TestProgram
beforeEach(async () => {
  context = await openDbContext({ ...IN_MEMORY, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
})
afterEach(() => program.close())

test('starts of one idempotency key that come at once are one run', async () => {
  await program.importText('n.csv', 'n\n1\n')
  const nodes = [
    ['in', 'source', { dataSource: 'n.csv' }],
    ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
  ] as const
  const { runs, workflows } = program.flowforge
  const { workflowId } = await workflows.import(documentOf('Once', nodes, [['in', 'out']]))
  const start = () => runs.start({ workflowId, idempotencyKey: 'nightly' })
  const started = await Promise.all([start(), start(), start()])
  const [first] = started
  expect(started).toEqual([first, first, first])
  expect((await runs.wait({ runId: String(first?.runId) })).status).toBe('succeeded')
  const count = await context.projectionStore.query({ sql: 'SELECT count(*) AS runs FROM runs' })
  expect(count).toEqual([{ runs: 1 }])
})
