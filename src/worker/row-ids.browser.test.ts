import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDbContext, readSqliteFile } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { RowIds } from '../workflow/run/events.ts'
import type { FlowForgeApi } from './api.ts'
import { IN_MEMORY } from './engine/contract/test-engine.ts'
import { openComputeEngine } from './engine/open-compute-engine.ts'
import { startProgram } from './program.ts'

let flowforge: FlowForgeApi
let context: DbContext
let close: () => Promise<void>

/** Rows that nothing but their place tells apart, and each code twice. */
const THINGS = ['code,amount', 'x,1', 'y,2', 'x,1', 'z,0', 'x,1', 'y,2'].join('\n')
const CODES = ['code,name', 'x,ex', 'y,why', 'x,ex', 'y,why'].join('\n')

const DOCUMENT = {
  format: 'flowforge.workflow/1',
  name: 'Doubled',
  nodes: [
    { id: 'things', kind: 'source', name: 'Things', spec: { dataSource: 'things.csv' } },
    { id: 'codes', kind: 'source', name: 'Codes', spec: { dataSource: 'codes.csv' } },
    {
      id: 'some',
      kind: 'transform',
      name: 'Some',
      spec: {
        steps: [
          { op: 'filter', where: 'amount > 0' },
          { op: 'derive', columns: { twice: 'amount * 2' } }
        ]
      }
    },
    {
      id: 'named',
      kind: 'join',
      name: 'Named',
      spec: { type: 'inner', on: [{ left: 'code', right: 'code' }] }
    },
    {
      id: 'sums',
      kind: 'transform',
      name: 'Sums',
      spec: { steps: [{ op: 'aggregate', groupBy: ['code'], columns: { total: 'sum(twice)' } }] }
    },
    { id: 'rows', kind: 'sink', name: 'Rows', spec: { format: 'csv', fileName: 'rows.csv' } },
    { id: 'groups', kind: 'sink', name: 'Groups', spec: { format: 'csv', fileName: 'groups.csv' } }
  ],
  edges: [
    { from: 'things', to: 'some' },
    { from: 'some', to: 'named', toPort: 'left' },
    { from: 'codes', to: 'named', toPort: 'right' },
    { from: 'named', to: 'rows' },
    { from: 'named', to: 'sums' },
    { from: 'sums', to: 'groups' }
  ]
}

let workflowId = ''
const run = async (options: Partial<Parameters<FlowForgeApi['runs']['start']>[0]>): Promise<string> => {
  const { runId } = await flowforge.runs.start({ workflowId, ...options })
  expect(await flowforge.runs.wait({ runId })).toEqual({ status: 'succeeded' })
  return runId
}

const tableOf = async (runId: string, nodeId: string) => {
  const [row] = await context.projectionStore.query({
    sql: `SELECT id, sha256, stats_json ->> '$.rowIds' AS row_ids, stats_json ->> '$.reusedFrom' AS reused
          FROM artifacts WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/' || ?`,
    params: [runId, nodeId]
  })
  if (row === undefined) throw new Error(`The run wrote no table at "${nodeId}".`)
  return {
    id: String(row['id']),
    sha256: String(row['sha256']),
    isReused: row['reused'] !== null,
    rowIds: row['row_ids'] === null ? null : RowIds.parse(JSON.parse(String(row['row_ids'])))
  }
}

beforeAll(async () => {
  context = await openDbContext(IN_MEMORY)
  const engine = openComputeEngine({ blobStore: context.blobStore, readSqliteFile })
  const program = await startProgram({
    context,
    engine,
    world: { now: IN_MEMORY.now, newId: IN_MEMORY.newId },
    baseUrl: globalThis.location.href
  })
  flowforge = program.flowforge
  close = async () => {
    await engine.close()
    await context.close()
  }
  await flowforge.sources.importFile({ file: new File([THINGS], 'things.csv') })
  await flowforge.sources.importFile({ file: new File([CODES], 'codes.csv') })
  ;({ workflowId } = await flowforge.workflows.import(DOCUMENT))
}, 120_000)
afterAll(() => close())

it('are kept where a run asks for them, and leave what is written as it is', async () => {
  const [without, kept] = [await run({ reuse: 'none' }), await run({ reuse: 'none', rowIds: true })]
  for (const nodeId of ['rows', 'groups']) {
    const [plain, marked] = [await tableOf(without, nodeId), await tableOf(kept, nodeId)]
    expect(marked.sha256).toBe(plain.sha256)
    expect(plain.rowIds).toBeNull()
  }
  const { rowIds } = await tableOf(kept, 'rows')
  expect(rowIds?.marks.toSorted()).toEqual(['named:row', 'row'])
  // A group is not one of the rows that came in.
  expect((await tableOf(kept, 'groups')).rowIds).toBeNull()
  expect(await context.blobStore.stat({ key: rowIds?.uri ?? '' })).toMatchObject({ size: rowIds?.bytes })
})

it('tell rows apart that are equal in every value', async () => {
  const { id: artifactId } = await tableOf(await run({ reuse: 'none', rowIds: true }), 'rows')
  const { rows } = await flowforge.artifacts.read({ artifactId })
  const found: string[] = []
  for (const row of rows.keys()) {
    // oxlint-disable-next-line no-await-in-loop -- one engine
    const { steps, byRowIds } = await flowforge.explain.cell({ artifactId, row, column: 'name' })
    expect(byRowIds).toBe(true)
    const rowOf = (nodeId: string) => steps.find((step) => step.nodeId === nodeId)?.rowNumbers?.join()
    found.push(`${rowOf('things')}-${rowOf('codes')}`)
  }
  // Each row of a code with each of the code's names, and none of them twice.
  const pairs = [1, 3, 5].flatMap((row) => [`${row}-1`, `${row}-3`])
  expect(found.toSorted()).toEqual([...pairs, '2-2', '2-4', '6-2', '6-4'].toSorted())
})

it('are not made up where a run did not keep them', async () => {
  const { id: artifactId } = await tableOf(await run({ reuse: 'none' }), 'rows')
  expect(await flowforge.explain.cell({ artifactId, row: 0, column: 'name' })).toMatchObject({
    byRowIds: false
  })
})

it('are taken over with the rows of an earlier run, and computed where that has none', async () => {
  const { workflowId: other } = await flowforge.workflows.import({ ...DOCUMENT, name: 'Others' })
  workflowId = other
  const plain = await tableOf(await run({ reuse: 'none' }), 'rows')
  const kept = await tableOf(await run({ rowIds: true }), 'rows')
  expect(kept.sha256).toBe(plain.sha256)
  expect(kept.rowIds).not.toBeNull()
  const again = await tableOf(await run({ rowIds: true }), 'rows')
  expect(again).toMatchObject({ isReused: true, rowIds: kept.rowIds })
})

it('that are gone or damaged are told, with what to do', async () => {
  const { id: artifactId, rowIds } = await tableOf(await run({ reuse: 'none', rowIds: true }), 'rows')
  const key = rowIds?.uri ?? ''
  const blob = await context.blobStore.get({ key })
  const bytes = blob?.data.slice() ?? new Uint8Array()
  bytes[0] = (bytes[0] ?? 0) ^ 1
  await context.blobStore.put({ key, data: bytes })
  const asked = () => flowforge.explain.cell({ artifactId, row: 0, column: 'name' })
  await expect(asked()).rejects.toMatchObject({ code: 'CORRUPT', message: /Run the workflow again/ })
  await context.blobStore.remove({ key })
  await expect(asked()).rejects.toMatchObject({ code: 'CORRUPT' })
})
