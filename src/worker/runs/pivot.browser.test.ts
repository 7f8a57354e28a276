import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'

let program: TestProgram
beforeEach(async () => {
  program = await startTestProgram(await openDbContext({ ...IN_MEMORY, newId: () => crypto.randomUUID() }))
})
afterEach(() => program.close())

test('a pivot takes the aggregate over no rows only where there are none, not where it is NULL over some', async () => {
  await program.importText('in.csv', 'k,part,v\na,x,1\na,y,\nb,x,2\n')
  const best = 'CASE WHEN count(*) = 0 THEN -1 ELSE max(v) END'
  const pivot = { op: 'pivot', on: `part IN ('x', 'y')`, groupBy: ['k'], using: { best, n: 'count(v)' } }
  const document = documentOf(
    'Best',
    [
      ['in', 'source', { dataSource: 'in.csv' }],
      ['work', 'transform', { steps: [pivot, { op: 'sort', by: [{ column: 'k' }] }] }],
      ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
    ],
    [
      ['in', 'work'],
      ['work', 'out']
    ]
  )
  const { workflowId } = await program.flowforge.workflows.import(document)
  const { runId } = await program.run({ workflowId })
  expect(await program.rows(runId, 'out')).toEqual([
    { k: 'a', x_best: 1, x_n: 1, y_best: null, y_n: 0 },
    { k: 'b', x_best: 2, x_n: 1, y_best: -1, y_n: 0 }
  ])
})
