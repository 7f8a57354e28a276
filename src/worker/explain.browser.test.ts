import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDbContext, readSqliteFile } from '../db/index.ts'
import type { FlowForgeApi } from './api.ts'
import { IN_MEMORY } from './engine/contract/test-engine.ts'
import { openComputeEngine } from './engine/open-compute-engine.ts'
import { startProgram } from './program.ts'

let flowforge: FlowForgeApi
let query: (sql: string, params?: unknown[]) => Promise<Record<string, unknown>[]>
let close: () => Promise<void>

const ORDERS = [
  'id,customer,amount',
  '1,ann,10',
  '2,bob,20',
  '3,ann,30',
  '4,cid,',
  '5,dan,50',
  '6,eve,5'
].join('\n')
const CUSTOMERS = ['name,country', 'ann,DE', 'bob,FR', 'cid,FR', 'eve,DE'].join('\n')

const DOCUMENT = {
  format: 'flowforge.workflow/1',
  name: 'Sales by country',
  parameters: { least: { type: 'number', default: 8 } },
  nodes: [
    { id: 'orders', kind: 'source', name: 'Orders', spec: { dataSource: 'orders.csv' } },
    { id: 'customers', kind: 'source', name: 'Customers', spec: { dataSource: 'customers.csv' } },
    {
      id: 'checked',
      kind: 'rule',
      name: 'Checked',
      spec: {
        rules: [
          { name: 'no amount', when: 'amount IS NULL', reject: 'the amount is missing' },
          { name: 'large', when: 'amount >= 30', set: { size: `'large'` } }
        ],
        otherwise: { size: `'small'` }
      }
    },
    {
      id: 'worth',
      kind: 'transform',
      name: 'Worth it',
      spec: { steps: [{ op: 'filter', where: 'amount >= $least' }] }
    },
    {
      id: 'located',
      kind: 'join',
      name: 'Located',
      spec: { type: 'inner', on: [{ left: 'customer', right: 'name' }] }
    },
    {
      id: 'by_country',
      kind: 'transform',
      name: 'By country',
      spec: {
        steps: [
          { op: 'derive', columns: { gross: 'amount * 2' } },
          { op: 'aggregate', groupBy: ['country'], columns: { total: 'sum(gross)' } },
          { op: 'sort', by: [{ column: 'country' }] }
        ]
      }
    },
    { id: 'rows', kind: 'sink', name: 'Rows', spec: { format: 'csv', fileName: 'rows.csv' } },
    { id: 'result', kind: 'sink', name: 'Result', spec: { format: 'csv', fileName: 'result.csv' } }
  ],
  edges: [
    { from: 'orders', to: 'checked' },
    { from: 'checked', to: 'worth' },
    { from: 'worth', to: 'located', toPort: 'left' },
    { from: 'customers', to: 'located', toPort: 'right' },
    { from: 'located', to: 'rows' },
    { from: 'located', to: 'by_country' },
    { from: 'by_country', to: 'result' }
  ]
}

let runId = ''
const artifactOf = async (nodeId: string): Promise<string> => {
  const [row] = await query(
    `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/' || ?`,
    [runId, nodeId]
  )
  return String(row?.['id'])
}

beforeAll(async () => {
  const context = await openDbContext(IN_MEMORY)
  const engine = openComputeEngine({ blobStore: context.blobStore, readSqliteFile })
  const program = await startProgram({
    context,
    engine,
    world: { now: IN_MEMORY.now, newId: IN_MEMORY.newId },
    baseUrl: globalThis.location.href
  })
  flowforge = program.flowforge
  query = async (sql, params = []) => context.projectionStore.query({ sql, params })
  close = async () => {
    await engine.close()
    await context.close()
  }
  await flowforge.sources.importFile({ file: new File([ORDERS], 'orders.csv') })
  await flowforge.sources.importFile({ file: new File([CUSTOMERS], 'customers.csv') })
  const { workflowId } = await flowforge.workflows.import(DOCUMENT)
  ;({ runId } = await flowforge.runs.start({ workflowId }))
  expect(await flowforge.runs.wait({ runId })).toEqual({ status: 'succeeded' })
}, 120_000)
afterAll(() => close())

it('leads a sum back to the rows of the file, with the texts and rules on the way', async () => {
  const artifactId = await artifactOf('result')
  const { rows } = await flowforge.artifacts.read({ artifactId })
  expect(rows).toEqual([
    { country: 'DE', total: 80 },
    { country: 'FR', total: 40 }
  ])
  const { steps, files } = await flowforge.explain.cell({ artifactId, row: 0, column: 'total' })
  const words = steps.map(({ nodeId, op, total }) => `${nodeId} ${op} ${total}`)
  expect(words).toEqual([
    'result null 1',
    'by_country sort 1',
    'by_country aggregate 1',
    'by_country derive 2',
    'located null 2',
    'worth filter 2',
    'checked null 2',
    'customers null 1',
    'orders null 2'
  ])
  expect(steps.find(({ op }) => op === 'aggregate')?.texts).toEqual([
    { role: 'value', column: 'total', text: 'sum(gross)' },
    { role: 'keys', column: null, text: 'country' }
  ])
  const checked = steps.find(({ nodeId }) => nodeId === 'checked')
  expect(checked?.rules).toEqual([{ name: 'large', rows: 1, reject: null }])
  const orders = steps.at(-1)
  expect(orders?.rowNumbers).toEqual([1, 3])
  expect(orders?.rows).toEqual([{ amount: 10 }, { amount: 30 }])
  expect(files.find(({ nodeId }) => nodeId === 'orders')).toMatchObject({
    fileName: 'orders.csv',
    sha256: /./
  })
})

it('tells a value of one row from another of the same column', async () => {
  const artifactId = await artifactOf('rows')
  const { rows } = await flowforge.artifacts.read({ artifactId })
  const at = rows.findIndex(({ customer }) => customer === 'bob')
  const { steps } = await flowforge.explain.cell({ artifactId, row: at, column: 'country' })
  expect(steps.at(-1)).toMatchObject({ nodeId: 'orders', rowNumbers: [2] })
  expect(steps.find(({ nodeId }) => nodeId === 'customers')).toMatchObject({
    rowNumbers: [2],
    rows: [{ country: 'FR' }]
  })
})

it.each([
  [{ id: 4 }, 'checked', 'rejected by a rule'],
  [{ id: 5 }, 'located', 'without a partner'],
  [{ id: 6 }, 'worth', 'filtered out']
])('says that %o was lost at %s: %s', async (key, nodeId) => {
  const found = await flowforge.explain.missing({ runId, nodeId: 'result', key })
  expect(found.outcome).toBe('lost')
  expect(found.steps.at(-1)).toMatchObject({ nodeId, rowsIn: 1, rowsOut: 0 })
})

it('names the rule and its reason, and the values that a filter looked at', async () => {
  const rejected = await flowforge.explain.missing({ runId, nodeId: 'rows', key: { id: 4 } })
  expect(rejected.steps.at(-1)?.rules).toEqual([
    { name: 'no amount', rows: 1, reject: 'the amount is missing' }
  ])
  expect(rejected.steps.at(-1)?.elsewhere).toEqual([{ port: 'rejected', rows: 1 }])
  const filtered = await flowforge.explain.missing({ runId, nodeId: 'rows', key: { customer: 'eve' } })
  expect(filtered.steps.at(-1)).toMatchObject({
    texts: [{ role: 'condition', text: 'amount >= $least' }],
    lost: [{ amount: 5 }]
  })
})

it('tells a row that is there, and one that never was', async () => {
  expect(await flowforge.explain.missing({ runId, nodeId: 'rows', key: { id: 1 } })).toMatchObject({
    outcome: 'there',
    rows: 1
  })
  expect(await flowforge.explain.missing({ runId, nodeId: 'rows', key: { id: 99 } })).toMatchObject({
    outcome: 'never'
  })
  await expect(flowforge.explain.missing({ runId, nodeId: 'result', key: { total: 1 } })).rejects.toThrow(
    /computed/
  )
  await expect(flowforge.explain.missing({ runId, nodeId: 'rows', key: { nobody: 1 } })).rejects.toThrow(
    /no column/
  )
})

it('exports the lineage of the run as OpenLineage', async () => {
  const events = await flowforge.lineage.openLineage({ runId })
  expect(events.map(({ eventType }) => eventType)).toEqual(['START', 'COMPLETE'])
  const result = events[1]?.outputs.find(({ name }) => name === 'Sales by country/result')
  expect(result?.facets['columnLineage']?.['fields']).toEqual({
    country: {
      inputFields: [
        {
          namespace: 'flowforge',
          name: 'customers.csv',
          field: 'country',
          transformations: [{ type: 'DIRECT', subtype: 'IDENTITY' }]
        }
      ]
    },
    total: {
      inputFields: [
        {
          namespace: 'flowforge',
          name: 'orders.csv',
          field: 'amount',
          transformations: [{ type: 'DIRECT', subtype: 'AGGREGATION' }]
        }
      ]
    }
  })
})

it('refuses a row or a column that the result does not have', async () => {
  const artifactId = await artifactOf('rows')
  await expect(flowforge.explain.cell({ artifactId, row: 99, column: 'country' })).rejects.toThrow(
    /no row 100/
  )
  await expect(flowforge.explain.cell({ artifactId, row: 0, column: 'nope' })).rejects.toThrow(/no column/)
})
