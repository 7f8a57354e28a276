import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { IN_MEMORY } from './engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './runs/contract/test-program.ts'

let context: DbContext
let program: TestProgram
let workflowId = ''
let runId = ''

const ruleSet = (least: number) => ({
  rules: [{ name: 'small', when: `amount < ${least}`, reject: `below ${least}` }]
})

/** Of a relation's rows in any order: a join keeps none. */
const byId = (rows: readonly Record<string, unknown>[]) =>
  rows.toSorted((a, b) => Number(a['id']) - Number(b['id']))

const artifactOf = async (run: string): Promise<string> => {
  const [row] = await context.projectionStore.query({
    sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table' AND stats_json ->> '$.role' = 'result'`,
    params: [run]
  })
  return String(row?.['id'])
}

beforeAll(async () => {
  context = await openDbContext(IN_MEMORY)
  program = await startTestProgram(context)
  const { flowforge } = program
  await program.importText('orders.csv', 'id,amount,by\n1,10,a\n2,20,b\n3,30,a\n4,,c\n')
  await program.importText('people.csv', 'who,land\na,DE\nb,FR\n')
  const schema = {
    type: 'object',
    properties: { id: {}, by: {}, amount: { type: 'integer' } },
    required: ['amount'],
    additionalProperties: false
  }
  await flowforge.catalog.create({
    name: 'order',
    content: { kind: 'schema', spec: { jsonSchema: schema } }
  })
  for (const name of ['order', 'person']) {
    await flowforge.catalog.create({ name, content: { kind: 'dataset', spec: {} } })
  }
  await flowforge.catalog.create({
    name: 'buyer',
    content: {
      kind: 'join',
      spec: { left: 'order', right: 'person', type: 'inner', on: [{ left: 'by', right: 'who' }] }
    }
  })
  await flowforge.catalog.create({
    name: 'twice',
    content: {
      kind: 'operator',
      spec: {
        kind: 'enricher',
        parameters: [{ name: 'times', type: 'number', default: 2 }],
        columns: { gross: 'amount * $times' }
      }
    }
  })
  const { itemId } = await flowforge.catalog.create({
    name: 'checks',
    content: { kind: 'rule-set', spec: ruleSet(15) }
  })
  ;({ workflowId } = await flowforge.workflows.import(
    documentOf(
      'With items',
      [
        ['orders', 'source', { dataSource: 'orders.csv', schema: { name: 'order' } }],
        ['people', 'source', { dataSource: 'people.csv' }],
        ['checked', 'rule', { ruleSet: { name: 'checks' } }],
        ['more', 'transform', { steps: [{ op: 'operator', name: 'twice', arguments: {} }] }],
        ['located', 'join', { join: 'buyer' }],
        ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
      ],
      [
        ['orders', 'checked'],
        ['checked', 'more'],
        ['more', 'located.left'],
        ['people', 'located.right'],
        ['located', 'out']
      ]
    )
  ))
  const run = await program.run({ workflowId })
  expect(run).toMatchObject({ status: 'succeeded' })
  runId = run.runId
  // What the catalog has become since is no part of the run.
  await flowforge.catalog.edit({ itemId, spec: ruleSet(25) })
  await flowforge.catalog.publish({ itemId })
}, 120_000)
afterAll(() => program.close())

it('explains a value by the items in the versions that the run used', async () => {
  const artifactId = await artifactOf(runId)
  const { rows } = await program.flowforge.artifacts.read({ artifactId })
  expect(byId(rows).map(({ id, gross }) => [id, gross])).toEqual([
    [2, 40],
    [3, 60]
  ])
  const { steps, items } = await program.flowforge.explain.cell({
    artifactId,
    row: rows.findIndex(({ id }) => id === 2),
    column: 'gross'
  })
  expect(steps.map(({ nodeId, total }) => `${nodeId} ${total}`)).toEqual([
    'out 1',
    'located 1',
    'more 1',
    'checked 1',
    'people 1',
    'orders 1',
    'orders 1'
  ])
  expect(steps.find(({ nodeId }) => nodeId === 'more')?.texts[0]).toMatchObject({ column: 'gross' })
  expect(items.map(({ nodeId, kind, name, version }) => `${nodeId} ${kind} ${name} ${version}`)).toEqual([
    'orders schema order 1',
    'checked rule-set checks 1',
    'more operator twice 1',
    'located join buyer 1'
  ])
})

it('says which rule, of which version, took a row; and that it breaks a schema', async () => {
  const missing = await program.flowforge.explain.missing({ runId, nodeId: 'out', key: { id: 1 } })
  expect(missing.outcome).toBe('lost')
  expect(missing.steps.at(-1)).toMatchObject({
    nodeId: 'checked',
    rules: [{ name: 'small', rows: 1, reject: 'below 15' }]
  })
  expect(missing.items.find(({ nodeId }) => nodeId === 'checked')).toMatchObject({
    name: 'checks',
    version: 1
  })
  // The second order is below what the newest version asks for: it is there all the same.
  const there = await program.flowforge.explain.missing({ runId, nodeId: 'out', key: { id: 2 } })
  expect(there.outcome).toBe('there')
  const broken = await program.flowforge.explain.missing({ runId, nodeId: 'out', key: { id: 4 } })
  expect(broken.outcome).toBe('lost')
  expect(broken.steps.at(-1)).toMatchObject({ nodeId: 'orders' })
})

it('keeps lineage through what the items stand for', async () => {
  const [row] = await context.projectionStore.query({
    sql: `SELECT l.edge_json FROM lineage l JOIN artifacts a ON a.id = l.from_artifact_id
          WHERE l.run_id = ? AND l.to_artifact_id = ? AND a.node_id LIKE '%/orders'`,
    params: [runId, await artifactOf(runId)]
  })
  const edge: unknown = JSON.parse(String(row?.['edge_json']))
  expect(edge).toMatchObject({
    columns: expect.arrayContaining([
      expect.objectContaining({ to: 'gross', from: 'amount', subtype: 'TRANSFORMATION' })
    ]),
    rows: expect.arrayContaining([
      expect.objectContaining({ from: 'amount', subtype: 'FILTER' }),
      expect.objectContaining({ from: 'by', subtype: 'JOIN' })
    ])
  })
})

it('retries and verifies with the items that the run used, and takes the newest for the current version', async () => {
  const { flowforge } = program
  const ids = async (run: string) => byId(await program.rows(run, 'out')).map(({ id }) => id)
  const same = await flowforge.runs.retry({ runId, from: 'start', version: 'same' })
  expect(await flowforge.runs.wait(same)).toMatchObject({ status: 'succeeded' })
  expect(await ids(same.runId)).toEqual([2, 3])
  const current = await flowforge.runs.retry({ runId, from: 'start', version: 'current' })
  expect(await flowforge.runs.wait(current)).toMatchObject({ status: 'succeeded' })
  expect(await ids(current.runId)).toEqual([3])
  const verified = await flowforge.runs.verify({ runId })
  expect(await flowforge.runs.wait(verified)).toMatchObject({ status: 'succeeded' })
  expect(await flowforge.runs.verification(verified)).toMatchObject({ same: true })
  const replayed = await program.run({ workflowId, replayOf: runId })
  expect(replayed).toMatchObject({ status: 'succeeded' })
  expect(await ids(replayed.runId)).toEqual([2, 3])
})

it('explains and repeats a run that used two versions of one item', async () => {
  const { flowforge } = program
  const rules = (text: string) => ({ rules: [{ name: text, when: 'true', set: { mark: `'${text}'` } }] })
  const { itemId } = await flowforge.catalog.create({
    name: 'marks',
    content: { kind: 'rule-set', spec: rules('one') }
  })
  await flowforge.catalog.edit({ itemId, spec: rules('two') })
  await flowforge.catalog.publish({ itemId })
  const twice = await flowforge.workflows.import(
    documentOf(
      'Two versions',
      [
        ['orders', 'source', { dataSource: 'orders.csv' }],
        ['old', 'rule', { ruleSet: { name: 'marks', version: 1 } }],
        ['kept', 'transform', { steps: [{ op: 'rename', columns: { mark: 'before' } }] }],
        ['new', 'rule', { ruleSet: { name: 'marks' } }],
        ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
      ],
      [
        ['orders', 'old'],
        ['old', 'kept'],
        ['kept', 'new'],
        ['new', 'out']
      ]
    )
  )
  const run = await program.run({ workflowId: twice.workflowId })
  expect(run).toMatchObject({ status: 'succeeded' })
  await flowforge.catalog.edit({ itemId, spec: rules('three') })
  await flowforge.catalog.publish({ itemId })
  const { steps } = await flowforge.explain.cell({
    artifactId: await artifactOf(run.runId),
    row: 0,
    column: 'before'
  })
  expect(steps.find(({ nodeId }) => nodeId === 'old')?.rules).toMatchObject([{ name: 'one' }])
  const verified = await flowforge.runs.verify({ runId: run.runId })
  expect(await flowforge.runs.wait(verified)).toMatchObject({ status: 'succeeded' })
  expect(await flowforge.runs.verification(verified)).toMatchObject({ same: true })
  const same = await flowforge.runs.retry({ runId: run.runId, from: 'start', version: 'same' })
  expect(await flowforge.runs.wait(same)).toMatchObject({ status: 'succeeded' })
  const marks = (await program.rows(same.runId, 'out')).map(({ before, mark }) => [before, mark])
  expect(marks[0]).toEqual(['one', 'two'])
})
