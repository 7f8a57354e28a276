import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'

let program: TestProgram
beforeEach(async () => {
  program = await startTestProgram(await openDbContext({ ...IN_MEMORY, newId: () => crypto.randomUUID() }))
})
afterEach(() => program.close())

const rowsOf = async (kind: string, spec: Record<string, unknown>): Promise<readonly unknown[]> => {
  const document = documentOf(
    'Teams',
    [
      ['in', 'source', { dataSource: 'in' }],
      ['work', kind, spec],
      ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
    ],
    [
      ['in', 'work'],
      ['work', 'out']
    ]
  )
  const { workflowId } = await program.flowforge.workflows.import(document)
  const { runId, status, message } = await program.run({ workflowId })
  expect([status, message]).toEqual(['succeeded', undefined])
  return program.rows(runId, 'out')
}
const importAs = async (fileName: string, text: string): Promise<void> => {
  const file = new File([text], fileName)
  await program.flowforge.sources.importFile({ file, name: 'in' })
}

// Every object has something of this name, a function.
test('a column may be called as what every object has: in CSV', async () => {
  await importAs('in.csv', 'driver,constructor,valueOf\nHill,Lotus,1\nClark,,2\n')
  expect(await rowsOf('transform', { steps: [{ op: 'filter', where: 'valueOf > 1' }] })).toEqual([
    { driver: 'Clark', constructor: null, valueOf: 2 }
  ])
})

test('the same in JSON, where rows without it have nothing there', async () => {
  await importAs('in.json', '[{"driver":"Hill","constructor":"Lotus"},{"driver":"Clark"}]')
  expect(await rowsOf('transform', { steps: [{ op: 'limit', count: 9 }] })).toEqual([
    { driver: 'Hill', constructor: 'Lotus' },
    { driver: 'Clark', constructor: null }
  ])
})

test('the same of what one rule of several sets', async () => {
  await importAs('in.csv', 'driver,constructor\nHill,Lotus\nClark,\nMoss,Vanwall\n')
  const rules = [
    { name: 'unknown', when: 'constructor IS NULL', set: { constructor: `'?'` } as object },
    { name: 'first', when: `driver = 'Hill'`, set: { best: 'true' } }
  ]
  expect(await rowsOf('rule', { rules, otherwise: { best: 'false' } })).toEqual([
    { driver: 'Hill', constructor: 'Lotus', best: true },
    { driver: 'Clark', constructor: '?', best: null },
    { driver: 'Moss', constructor: 'Vanwall', best: false }
  ])
})
