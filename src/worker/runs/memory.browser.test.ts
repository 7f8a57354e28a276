import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { manifestOf } from './manifest-of.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'

const PlainWorker = globalThis.Worker
/** The real workers, as they are started. */
const started: { readonly name: string; readonly worker: Worker }[] = []
beforeEach(() => {
  started.length = 0
  globalThis.Worker = class extends PlainWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options)
      started.push({ name: options?.name ?? '', worker: this })
    }
  }
})
afterEach(() => {
  globalThis.Worker = PlainWorker
})

let context: DbContext
let program: TestProgram
beforeEach(async () => {
  context = await openDbContext({ ...IN_MEMORY, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
  await program.importText('n.csv', `n\n${Array.from({ length: 5_000 }, (_, at) => at).join('\n')}\n`)
})
afterEach(() => program.close())

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
  return (await program.flowforge.workflows.import(documentOf('Memory', nodes, edges))).workflowId
}

/** Ten million groups: more than 256 MB, less than 2 GB. */
const GROUPS =
  'SELECT count(*) AS c, sum(s) AS s FROM (SELECT a.n * 5000 + b.n AS k, sum(a.n) AS s FROM input a CROSS JOIN input b WHERE a.n < 2000 GROUP BY k)'

describe('the memory budget of a run', () => {
  test('holds, is kept with the run, and another holds for the next', async () => {
    const workflowId = await workflowOf(GROUPS)
    const small = await program.run({ workflowId, memory: 256_000_000 })
    expect(small.status).toBe('failed')
    expect(small.message).toMatch(/not enough memory.*allow runs more memory in the settings/)
    expect(await program.artifacts(small.runId)).toEqual({})
    const large = await program.run({ workflowId, memory: 2_000_000_000 })
    expect(large.status).toBe('succeeded')
    const kept = await Promise.all([small, large].map(({ runId }) => manifestOf(context, runId)))
    expect(kept.map(({ memoryBudget }) => memoryBudget)).toEqual([256_000_000, 2_000_000_000])
  }, 300_000)

  test('is refused outside of its bounds', async () => {
    const workflowId = await workflowOf('SELECT n FROM input LIMIT 3')
    for (const memory of [255_999_999, 3_000_000_001]) {
      await expect(program.flowforge.runs.start({ workflowId, memory })).rejects.toThrow(/memory/)
    }
  })
})

/** Twenty-five million rows that two steps read: several times what 256 MB leave for rows that are kept. */
const PAIRS = 'SELECT a.n AS left_n, b.n AS right_n FROM input a CROSS JOIN input b'

describe('rows that several steps read', () => {
  const branched = async (): Promise<string> => {
    const sum = (column: string, where: string) => ({
      steps: [
        { op: 'filter', where },
        { op: 'aggregate', groupBy: [], columns: { rows: 'count(*)', total: `sum(${column})` } }
      ]
    })
    const nodes = [
      ['in', 'source', { dataSource: 'n.csv' }],
      ['pairs', 'transform', { steps: [{ op: 'sql', query: PAIRS }] }],
      ['few', 'transform', sum('left_n', 'right_n < 10')],
      ['all', 'transform', sum('right_n', 'true')],
      ['one', 'sink', { format: 'csv', fileName: 'one.csv' }],
      ['other', 'sink', { format: 'csv', fileName: 'other.csv' }]
    ] as const
    const edges = [
      ['in', 'pairs'],
      ['pairs', 'few'],
      ['pairs', 'all'],
      ['few', 'one'],
      ['all', 'other']
    ] as const
    return (await program.flowforge.workflows.import(documentOf('Branches', nodes, edges))).workflowId
  }
  const messages = async (runId: string) => {
    const sql = 'SELECT message FROM run_logs WHERE run_id = ?'
    const rows = await context.projectionStore.query({ sql, params: [runId] })
    return rows.map((row) => String(row['message']))
  }

  test('are computed for each of them where they are too many to be kept', async () => {
    const workflowId = await branched()
    const { runId, status } = await program.run({ workflowId, memory: 256_000_000 })
    expect(status).toBe('succeeded')
    expect(await program.rows(runId, 'one')).toEqual([{ rows: 50_000, total: 124_975_000 }])
    expect(await program.rows(runId, 'other')).toEqual([{ rows: 25_000_000, total: 62_487_500_000 }])
    expect(new Set(Object.values(await program.steps(runId)))).toEqual(new Set(['succeeded']))
    expect(await messages(runId)).toContainEqual(expect.stringMatching(/too many to be kept/))
  }, 300_000)

  test('are kept where they are few, and nothing is said', async () => {
    const workflowId = await branched()
    const { runId, status } = await program.run({ workflowId, memory: 3_000_000_000 })
    expect(status).toBe('succeeded')
    expect(await program.rows(runId, 'one')).toEqual([{ rows: 50_000, total: 124_975_000 }])
    expect(await messages(runId)).not.toContainEqual(expect.stringMatching(/too many to be kept/))
  }, 300_000)
})

describe('an engine that dies in the midst of a run', () => {
  test('ends the run with words and no results; it is resumed to its end', async () => {
    const workflowId = await workflowOf(GROUPS)
    const { runId } = await program.flowforge.runs.start({ workflowId })
    const isUnderWay = async () => (await program.steps(runId))['out'] === 'running'
    await expect.poll(isUnderWay, { timeout: 60_000, interval: 20 }).toBe(true)
    // As when the browser kills it: no event tells of it.
    started
      .filter(({ name }) => name.startsWith('duckdb'))
      .at(-1)
      ?.worker.terminate()
    const { status, error } = await program.flowforge.runs.wait({ runId })
    expect(status).toBe('failed')
    expect(error?.message).toMatch(/compute engine stopped before it had finished.*try once more/)
    expect(await program.artifacts(runId)).toEqual({})
    await program.flowforge.runs.resume({ runId })
    expect((await program.flowforge.runs.wait({ runId })).status).toBe('succeeded')
    expect(await program.rows(runId, 'out')).toEqual([{ c: 10_000_000, s: 9_995_000_000 }])
  }, 300_000)
})
