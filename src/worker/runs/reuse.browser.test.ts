import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'

let context: DbContext
let program: TestProgram
beforeEach(async () => {
  const { newId: _, ...memory } = IN_MEMORY
  context = await openDbContext({ ...memory, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
})
afterEach(() => program.close())

const CSV = 'k,v\na,1\nb,2\na,3\nc,4\n'

const document = documentOf(
  'Sums',
  [
    ['in', 'source', { dataSource: 'in.csv' }],
    ['big', 'transform', { steps: [{ op: 'filter', where: 'v >= $min' }] }],
    ['sums', 'transform', { steps: [{ op: 'aggregate', groupBy: ['k'], columns: { s: 'sum(v)' } }] }],
    ['all', 'sink', { format: 'csv', fileName: 'all.csv' }],
    ['sorted', 'transform', { steps: [{ op: 'sort', by: [{ column: 's' }] }] }],
    ['result', 'sink', { format: 'json', fileName: 'result.json' }]
  ],
  [
    ['in', 'big'],
    ['big', 'sums'],
    ['big', 'all'],
    ['sums', 'sorted'],
    ['sorted', 'result']
  ],
  { min: { type: 'number', default: 1 } }
)

const prepare = async (): Promise<string> => {
  await program.importText('in.csv', CSV)
  return (await program.flowforge.workflows.import(document)).workflowId
}
const sorted = (descending: boolean) => ({
  type: 'set-spec' as const,
  nodeId: 'sorted',
  spec: { steps: [{ op: 'sort', by: [{ column: 's', descending }] }] }
})

describe('a run of what has been run', () => {
  test('reuses everything where nothing has changed, and says so', async () => {
    const workflowId = await prepare()
    const first = await program.run({ workflowId })
    expect(first.status).toBe('succeeded')
    const again = await program.run({ workflowId })
    expect(again.status).toBe('succeeded')
    expect(new Set(Object.values(await program.steps(again.runId)))).toEqual(new Set(['reused']))
    expect(await program.artifacts(again.runId)).toEqual(await program.artifacts(first.runId))
    expect(await program.rows(again.runId, 'result')).toEqual(await program.rows(first.runId, 'result'))
    const logs = await context.projectionStore.query({
      sql: `SELECT count(*) AS n FROM run_logs WHERE run_id = ? AND message LIKE 'Reused from an earlier run%'`,
      params: [again.runId]
    })
    expect(logs[0]?.['n']).toBe(6)
  })

  test('does only what changed, from rows that the last one kept', async () => {
    const workflowId = await prepare()
    const first = await program.run({ workflowId, checkpoints: 'all' })
    expect(Object.keys(await program.artifacts(first.runId, 'checkpoint')).toSorted()).toEqual([
      'big table',
      'sums table'
    ])
    await program.flowforge.workflows.edit({ workflowId, changes: [sorted(true)] })
    const next = await program.run({ workflowId })
    expect(await program.steps(next.runId)).toEqual({
      in: 'reused',
      big: 'reused',
      sums: 'reused',
      all: 'reused',
      sorted: 'succeeded',
      result: 'succeeded'
    })
    expect((await program.rows(next.runId, 'result')).map(({ k }) => k)).toEqual(['a', 'c', 'b'])
  })

  test('does all again with another parameter, another file, or when told to', async () => {
    const workflowId = await prepare()
    await program.run({ workflowId })
    const none = { in: 'succeeded', big: 'succeeded', sums: 'succeeded', all: 'succeeded' }
    const other = await program.run({ workflowId, parameters: { min: 2 } })
    expect(await program.steps(other.runId)).toMatchObject({ ...none, in: 'succeeded' })
    const told = await program.run({ workflowId, reuse: 'none' })
    expect(await program.steps(told.runId)).toMatchObject(none)
    await program.importText('other.csv', `${CSV}d,9\n`)
    const change = { type: 'set-spec' as const, nodeId: 'in', spec: { dataSource: 'other.csv' } }
    await program.flowforge.workflows.edit({ workflowId, changes: [change] })
    const file = await program.run({ workflowId })
    expect(await program.steps(file.runId)).toMatchObject(none)
    expect(await program.rows(file.runId, 'all')).toHaveLength(5)
  })

  test('from a node does it and what it feeds anew', async () => {
    const workflowId = await prepare()
    await program.run({ workflowId, checkpoints: 'all' })
    const from = await program.run({ workflowId, from: 'sums' })
    expect(await program.steps(from.runId)).toEqual({
      in: 'reused',
      big: 'reused',
      all: 'reused',
      sums: 'succeeded',
      sorted: 'succeeded',
      result: 'succeeded'
    })
    await expect(program.flowforge.runs.start({ workflowId, from: 'nobody' })).rejects.toMatchObject({
      code: 'INVALID_INPUT'
    })
  })

  test('to a node leaves rows that a run of all goes on from', async () => {
    const workflowId = await prepare()
    const part = await program.run({ workflowId, until: 'sums' })
    expect(part.status).toBe('succeeded')
    const all = await program.run({ workflowId })
    expect(await program.steps(all.runId)).toMatchObject({ sums: 'reused', sorted: 'succeeded' })
  })

  test('to a source gives its rows, as to any other node', async () => {
    const workflowId = await prepare()
    const { rows: expected } = await program.flowforge.workflows.preview({ workflowId, nodeId: 'in' })
    expect(expected).toHaveLength(4)
    for (const turn of ['first', 'again']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { runId, status } = await program.run({ workflowId, until: 'in' })
      expect([turn, status]).toEqual([turn, 'succeeded'])
      // oxlint-disable-next-line no-await-in-loop -- see above
      const [table] = await context.projectionStore.query({
        sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table' AND stats_json ->> '$.port' = 'out'`,
        params: [runId]
      })
      const artifactId = String(table?.['id'])
      // oxlint-disable-next-line no-await-in-loop -- see above
      expect((await program.flowforge.artifacts.read({ artifactId })).rows).toEqual(expected)
    }
  })

  test('never takes rows that are gone or damaged', async () => {
    const workflowId = await prepare()
    const first = await program.run({ workflowId })
    const [row] = await context.projectionStore.query({
      sql: `SELECT uri FROM artifacts WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/result'`,
      params: [first.runId]
    })
    const key = String(row?.['uri'])
    const stored = await context.blobStore.get({ key })
    const bytes = new Uint8Array(stored?.data ?? [])
    bytes[bytes.length - 12] = (bytes[bytes.length - 12] ?? 0) ^ 1
    await context.blobStore.put({ key, data: bytes })
    const again = await program.run({ workflowId })
    expect(again.status).toBe('succeeded')
    expect(await program.steps(again.runId)).toMatchObject({ sorted: 'succeeded', result: 'succeeded' })
    expect(await program.artifacts(again.runId)).toEqual(await program.artifacts(first.runId))
  })
})

describe('another attempt', () => {
  const broken = documentOf(
    'Broken',
    [
      ['in', 'source', { dataSource: 'in.csv' }],
      ['fine', 'transform', { steps: [{ op: 'aggregate', groupBy: ['k'], columns: { s: 'sum(v)' } }] }],
      ['kept', 'sink', { format: 'csv', fileName: 'kept.csv' }],
      ['cast', 'transform', { steps: [{ op: 'sql', query: 'SELECT CAST(k AS INTEGER) AS k FROM input' }] }],
      ['result', 'sink', { format: 'csv', fileName: 'result.csv' }]
    ],
    [
      ['in', 'fine'],
      ['fine', 'kept'],
      ['fine', 'cast'],
      ['cast', 'result']
    ]
  )
  const mended = {
    type: 'set-spec' as const,
    nodeId: 'cast',
    spec: { steps: [{ op: 'filter', where: 's > 2' }] }
  }

  test('after mending reuses what had succeeded; on the same version it fails the same', async () => {
    await program.importText('in.csv', CSV)
    const { workflowId } = await program.flowforge.workflows.import(broken)
    const failed = await program.run({ workflowId })
    expect(failed.status).toBe('failed')
    await program.flowforge.workflows.edit({ workflowId, changes: [mended] })

    const same = await program.flowforge.runs.retry({ runId: failed.runId })
    expect((await program.flowforge.runs.wait(same)).status).toBe('failed')
    const current = await program.flowforge.runs.retry({ runId: failed.runId, version: 'current' })
    expect((await program.flowforge.runs.wait(current)).status).toBe('succeeded')
    expect(await program.steps(current.runId)).toMatchObject({
      fine: 'reused',
      kept: 'reused',
      cast: 'succeeded'
    })
    const start = await program.flowforge.runs.retry({
      runId: failed.runId,
      from: 'start',
      version: 'current'
    })
    await program.flowforge.runs.wait(start)
    expect(await program.steps(start.runId)).toMatchObject({ fine: 'succeeded', kept: 'succeeded' })
  })

  test('resumed goes on from the last finished step, with the graph and files that it had', async () => {
    await program.importText('in.csv', CSV)
    const { workflowId } = await program.flowforge.workflows.import(broken)
    const { runId } = await program.run({ workflowId, reuse: 'none' })
    const before = await program.artifacts(runId)
    const source = await program.artifacts(runId, 'source')
    await program.flowforge.workflows.edit({ workflowId, changes: [mended] })
    await program.flowforge.runs.resume({ runId })
    expect((await program.flowforge.runs.wait({ runId })).status).toBe('failed')
    expect(await program.artifacts(runId)).toEqual(before)
    expect(await program.artifacts(runId, 'source')).toEqual(source)
    expect(await program.steps(runId)).toMatchObject({ kept: 'succeeded', cast: 'failed' })
    const events = await context.eventStore.load({ aggregateId: runId })
    const kept = events.filter(
      ({ eventType, payload }) => eventType === 'RunStepStarted' && payload['nodeId'] === 'kept'
    )
    expect(kept).toHaveLength(1)
    await expect(program.flowforge.runs.resume({ runId: 'run:none' })).rejects.toMatchObject({
      code: 'NOT_FOUND'
    })
  })
})
