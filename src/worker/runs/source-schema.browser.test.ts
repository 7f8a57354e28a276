import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'

let program: TestProgram
beforeAll(async () => {
  program = await startTestProgram(await openDbContext(IN_MEMORY))
  await program.flowforge.catalog.create({
    name: 'orders',
    content: {
      kind: 'schema',
      spec: {
        jsonSchema: {
          type: 'object',
          properties: { id: { type: 'integer' }, zip: { type: 'string', minLength: 5 } },
          required: ['id']
        }
      }
    }
  })
})
afterAll(() => program.close())

test('a run sends the rows on that hold their schema, and the others with the reason', async () => {
  await program.importText('orders.csv', 'id,zip\n1,02134\none,10001\n3,99\n,12345\n')
  const sink = (id: string) => ({
    id,
    kind: 'sink',
    name: id,
    spec: { format: 'csv', fileName: `${id}.csv` }
  })
  const { workflowId } = await program.flowforge.workflows.import({
    format: 'flowforge.workflow/1',
    name: 'Checked orders',
    nodes: [
      {
        id: 'orders',
        kind: 'source',
        name: 'Orders',
        spec: { dataSource: 'orders.csv', schema: { name: 'orders' } }
      },
      sink('good'),
      sink('bad')
    ],
    edges: [
      { from: 'orders', to: 'good' },
      { from: 'orders', fromPort: 'rejected', to: 'bad' }
    ]
  })
  const { runId, status, message } = await program.run({ workflowId })
  expect([status, message]).toEqual(['succeeded', undefined])
  expect(await program.rows(runId, 'good')).toEqual([{ id: 1, zip: '02134' }])
  expect(await program.rows(runId, 'bad')).toEqual([
    { id: 'one', zip: '10001', _reason: '"id" is not an integer' },
    { id: '3', zip: '99', _reason: '"zip" is shorter than 5' },
    { id: null, zip: '12345', _reason: '"id" is required and empty' }
  ])
})

test('a file of rows that were rejected before, with their reasons in it, loses none', async () => {
  await program.importText(
    'again.csv',
    'id,zip,_Reason\n1,02134,mended\ntwo,10001,\nthree,10001,still wrong\n'
  )
  const { workflowId } = await program.flowforge.workflows.import(
    documentOf(
      'Once more',
      [
        ['orders', 'source', { dataSource: 'again.csv', schema: { name: 'orders' } }],
        ['good', 'sink', { format: 'csv', fileName: 'good.csv' }],
        ['bad', 'sink', { format: 'csv', fileName: 'bad.csv' }]
      ],
      [
        ['orders', 'good'],
        ['orders.rejected', 'bad']
      ]
    )
  )
  const { runId, message } = await program.run({ workflowId })
  expect(message).toBeUndefined()
  expect(await program.rows(runId, 'good')).toEqual([{ id: 1, zip: '02134', _Reason: 'mended' }])
  expect(await program.rows(runId, 'bad')).toEqual([
    { id: 'two', zip: '10001', _reason: '"id" is not an integer' },
    { id: 'three', zip: '10001', _reason: '"id" is not an integer' }
  ])
})
