import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { Pin } from '../../workflow/pin.ts'
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

const document = documentOf(
  'Sums',
  [
    ['in', 'source', { dataSource: 'in.csv' }],
    ['sums', 'transform', { steps: [{ op: 'aggregate', groupBy: ['k'], columns: { s: 'sum(v)' } }] }],
    ['twice', 'transform', { steps: [{ op: 'derive', columns: { t: 's * 2' } }] }],
    ['result', 'sink', { format: 'json', fileName: 'result.json' }]
  ],
  [
    ['in', 'sums'],
    ['sums', 'twice'],
    ['twice', 'result']
  ]
)

const prepare = async (): Promise<string> => {
  await program.importText('in.csv', 'k,v\na,1\nb,2\na,3\n')
  return (await program.flowforge.workflows.import(document)).workflowId
}

/** The pin of a node's rows in a run to it. */
const pinOf = async (runId: string, nodeId: string): Promise<Pin> => {
  const [row] = await context.projectionStore.query({
    sql: `SELECT id, uri, sha256, rows, schema_json, stats_json FROM artifacts
          WHERE run_id = ? AND node_id LIKE ? AND kind = 'table'
            AND stats_json ->> '$.port' = 'out'`,
    params: [runId, `%/${nodeId}`]
  })
  const { layout, bytes } = JSON.parse(String(row?.['stats_json'])) as Record<string, unknown>
  const { columns } = JSON.parse(String(row?.['schema_json'])) as Record<string, unknown>
  const { id: artifactId, uri: blobKey, sha256, rows } = row ?? {}
  return Pin.parse({ runId, ports: { out: { artifactId, blobKey, sha256, bytes, rows, layout, columns } } })
}
const setPin = (workflowId: string, nodeId: string, pin?: Pin) =>
  program.flowforge.workflows.edit({
    workflowId,
    changes: [{ type: 'set-pin', nodeId, ...(pin === undefined ? {} : { pin }) }]
  })
const tripled = {
  type: 'set-spec' as const,
  nodeId: 'sums',
  spec: { steps: [{ op: 'aggregate', groupBy: ['k'], columns: { s: 'sum(v) * 3' } }] }
}
const pinned = async () => {
  const workflowId = await prepare()
  const { runId } = await program.run({ workflowId, until: 'sums' })
  const pin = await pinOf(runId, 'sums')
  await setPin(workflowId, 'sums', pin)
  await program.flowforge.workflows.edit({ workflowId, changes: [tripled] })
  return { workflowId, pin, pinnedRun: runId }
}
const totals = async (runId: string) =>
  Object.fromEntries((await program.rows(runId, 'result')).map(({ k, t }) => [String(k), Number(t)]))

const OLD = { a: 8, b: 4 }
const NEW = { a: 24, b: 12 }

describe('a run of a draft with pins', () => {
  test('takes the pinned rows, whatever is before them by now, and computes nothing of it', async () => {
    const { workflowId, pinnedRun } = await pinned()
    for (const reuse of ['none', 'changed'] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const run = await program.run({ workflowId, reuse })
      expect(run).toMatchObject({ status: 'succeeded' })
      // oxlint-disable-next-line no-await-in-loop -- the same
      expect(await totals(run.runId)).toEqual(OLD)
      // oxlint-disable-next-line no-await-in-loop -- the same
      expect(Object.keys(await program.steps(run.runId)).toSorted()).toEqual(['result', 'sums', 'twice'])
    }
    const [logged] = await context.projectionStore.query({
      sql: `SELECT meta_json ->> '$.runId' AS run FROM run_logs WHERE message LIKE 'Its pinned rows are used%'`
    })
    expect(logged?.['run']).toBe(pinnedRun)
  })

  test('computes them again when they are unpinned, and undo pins them again', async () => {
    const { workflowId } = await pinned()
    await setPin(workflowId, 'sums')
    expect(await totals((await program.run({ workflowId })).runId)).toEqual(NEW)
    await program.flowforge.workflows.undo({ workflowId })
    expect(await totals((await program.run({ workflowId })).runId)).toEqual(OLD)
  })

  test('to the pinned node gives its pinned rows as its own', async () => {
    const { workflowId, pin } = await pinned()
    const { runId } = await program.run({ workflowId, until: 'sums' })
    expect((await pinOf(runId, 'sums')).ports['out']?.sha256).toBe(pin.ports['out']?.sha256)
  })

  test('is no run of the published version, which has none', async () => {
    const { workflowId } = await pinned()
    await program.flowforge.workflows.publish({ workflowId })
    const { graph } = await program.flowforge.workflows.get({ workflowId })
    expect(graph.nodes.some(({ pin }) => pin !== undefined)).toBe(false)
    expect(await totals((await program.run({ workflowId })).runId)).toEqual(NEW)
  })

  test('can be repeated as it was after the draft has lost its pins', async () => {
    const { workflowId } = await pinned()
    const first = await program.run({ workflowId })
    await setPin(workflowId, 'sums')
    const { runId } = await program.flowforge.runs.verify({ runId: first.runId })
    expect(await program.flowforge.runs.wait({ runId })).toMatchObject({ status: 'succeeded' })
    expect(await totals(runId)).toEqual(OLD)
  })

  test('fails with the name of the node where the pinned rows are damaged, and so does its preview', async () => {
    const { workflowId, pin } = await pinned()
    const key = pin.ports['out']?.blobKey ?? ''
    const bytes = new Uint8Array((await context.blobStore.get({ key }))?.data ?? [])
    bytes[bytes.length - 12] = (bytes[bytes.length - 12] ?? 0) ^ 1
    await context.blobStore.put({ key, data: bytes })
    const run = await program.run({ workflowId, reuse: 'none' })
    expect(run).toMatchObject({ status: 'failed' })
    expect(run.message).toMatch(/pinned rows of "sums" are gone or damaged\. Unpin it, or run to it again/)
    await expect(program.flowforge.workflows.preview({ workflowId, nodeId: 'twice' })).rejects.toMatchObject({
      code: 'CONFLICT'
    })
  })
})

describe('a pin', () => {
  test('is refused where its rows are of no run, are others, or are gone', async () => {
    const { workflowId, pin } = await pinned()
    const { out } = pin.ports
    if (out === undefined) throw new Error('nothing was pinned')
    const withPort = (change: Partial<typeof out>): Pin => ({ ...pin, ports: { out: { ...out, ...change } } })
    const wrong: readonly (readonly [Pin, RegExp])[] = [
      [withPort({ artifactId: 'artifact:none' }), /of no run here/],
      [{ ...pin, runId: 'run:other' }, /of no run here/],
      [withPort({ sha256: '0'.repeat(64) }), /does not say what the run wrote/],
      [withPort({ blobKey: 'artifacts/other' }), /does not say what the run wrote/],
      [withPort({ columns: out.columns.slice(1) }), /does not say what the run wrote/],
      [withPort({ layout: { pieces: [] } }), /does not say what the run wrote/]
    ]
    for (const [bad, message] of wrong) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await expect(setPin(workflowId, 'sums', bad)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringMatching(message)
      })
    }
    await context.blobStore.remove({ key: out.blobKey })
    await expect(setPin(workflowId, 'sums', pin)).rejects.toMatchObject({
      message: expect.stringMatching(/gone or damaged/)
    })
  })
})

describe('a draft with pins', () => {
  test('is previewed over the pinned rows', async () => {
    const { workflowId } = await pinned()
    const page = await program.flowforge.workflows.preview({ workflowId, nodeId: 'twice' })
    expect(Object.fromEntries(page.rows.map(({ k, t }) => [String(k), Number(t)]))).toEqual(OLD)
    expect(page.total).toBe(2)
    const own = await program.flowforge.workflows.preview({ workflowId, nodeId: 'sums' })
    expect(own.rows).toHaveLength(2)
  })

  test('is checked before its pins, too', async () => {
    const { workflowId } = await pinned()
    const broken = { type: 'set-spec' as const, nodeId: 'in', spec: { dataSource: 'nowhere' } }
    await program.flowforge.workflows.edit({ workflowId, changes: [broken] })
    const { problems, columns } = await program.flowforge.workflows.check({ workflowId })
    expect(problems.map(({ nodeId }) => nodeId)).toEqual(['in'])
    expect(Object.keys(columns)).toContain('twice')
    expect(await program.run({ workflowId })).toMatchObject({ status: 'succeeded' })
  })

  test('has runs whose cells are not followed past them, and says where they end', async () => {
    const { workflowId, pinnedRun } = await pinned()
    const { runId } = await program.run({ workflowId })
    const [row] = await context.projectionStore.query({
      sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/result'`,
      params: [runId]
    })
    await expect(
      program.flowforge.explain.cell({ artifactId: String(row?.['id']), row: 0, column: 't' })
    ).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('pinned rows of "sums"'),
      details: { runId: pinnedRun }
    })
  })
})
