import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'

let context: DbContext
let program: TestProgram
beforeEach(async () => {
  context = await openDbContext({ ...IN_MEMORY, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
})
afterEach(() => program.close())

const document = documentOf(
  'Sums',
  [
    ['in', 'source', { dataSource: 'in.csv' }],
    ['sums', 'transform', { steps: [{ op: 'aggregate', groupBy: ['k'], columns: { s: 'sum(v * $by)' } }] }],
    ['csv', 'sink', { format: 'csv', fileName: 'result.csv' }],
    ['xlsx', 'sink', { format: 'xlsx', fileName: 'result.xlsx' }]
  ],
  [
    ['in', 'sums'],
    ['sums', 'csv'],
    ['sums', 'xlsx']
  ],
  { by: { type: 'number', default: 0.1 } }
)

/** Enough rows for many vectors of the engine, with sums that depend on their order. */
const CSV = `k,v\n${Array.from({ length: 20_000 }, (_, at) => `${at % 97},${(at * 7919) % 1013}.${at % 9}`).join('\n')}\n`

describe('a run that is repeated', () => {
  test('gives the same, and finds a planted difference: node, row, column and both values', async () => {
    await program.importText('in.csv', CSV)
    const { workflowId } = await program.flowforge.workflows.import(document)
    const first = await program.run({ workflowId })
    // What is done to the workflow afterwards makes no difference.
    const change = { type: 'set-spec' as const, nodeId: 'sums', spec: { steps: [{ op: 'limit', count: 3 }] } }
    await program.flowforge.workflows.edit({ workflowId, changes: [change] })
    const { runId } = await program.flowforge.runs.verify({ runId: first.runId })
    expect(await program.flowforge.runs.wait({ runId })).toEqual({ status: 'succeeded' })
    expect(await program.flowforge.runs.verification({ runId })).toMatchObject({ same: true, compared: 3 })
    expect(Object.values(await program.steps(runId))).not.toContain('reused')

    await program.flowforge.workflows.undo({ workflowId })
    const other = await program.run({ workflowId, parameters: { by: 0.2 } })
    const [planted] = await context.projectionStore.query({
      sql: `SELECT uri, sha256, stats_json FROM artifacts WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/csv'`,
      params: [other.runId]
    })
    await context.projectionStore.query({
      sql: `UPDATE artifacts SET uri = ?, sha256 = ?, stats_json = ?
            WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/csv'`,
      params: [planted?.['uri'], planted?.['sha256'], planted?.['stats_json'], first.runId]
    })
    const differing = await program.flowforge.runs.verify({ runId: first.runId })
    const end = await program.flowforge.runs.wait(differing)
    expect(end).toMatchObject({ status: 'failed', error: { nodeId: 'csv' } })
    expect(end.error?.message).toContain('at csv, row 1, column s')
    const { same, difference } = await program.flowforge.runs.verification(differing)
    expect(same).toBe(false)
    expect(difference).toMatchObject({ nodeId: 'csv', what: 'cell', row: 1, column: 's' })
    expect(Number(difference?.before)).toBeCloseTo(2 * Number(difference?.after), 6)
    const events = await context.eventStore.load({ aggregateId: differing.runId })
    expect(JSON.stringify(events)).not.toContain(String(difference?.after))
  })

  test('gives the same bytes when it goes on from stored rows', async () => {
    await program.importText('in.csv', CSV)
    const { workflowId } = await program.flowforge.workflows.import(document)
    const whole = await program.run({ workflowId, reuse: 'none' })
    await program.run({ workflowId, reuse: 'none', until: 'sums' })
    const from = await program.run({ workflowId, from: 'csv' })
    expect(await program.steps(from.runId)).toMatchObject({ sums: 'reused', csv: 'succeeded' })
    const own = (hashes: Record<string, string>) => [hashes['csv table'], hashes['csv file']]
    expect(own(await program.artifacts(from.runId))).toEqual(own(await program.artifacts(whole.runId)))
  })
})
