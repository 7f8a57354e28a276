import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from '../runs/contract/test-program.ts'

let context: DbContext
let program: TestProgram
beforeAll(async () => {
  const { newId: _, ...memory } = IN_MEMORY
  context = await openDbContext({ ...memory, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
})
afterAll(() => program.close())

const rejecting = (when: string) => ({ rules: [{ name: 'small', when, reject: 'too small' }] })
let number = 0
/** A rule set, and a run of a workflow whose rows pass it. */
const withRun = async (dataSource: string, when: string, steps: readonly unknown[] = []) => {
  number += 1
  const name = `checks ${number}`
  const { itemId } = await program.flowforge.catalog.create({
    name,
    content: { kind: 'rule-set', spec: rejecting(when) }
  })
  const { workflowId } = await program.flowforge.workflows.import(
    documentOf(
      `What if ${number}`,
      [
        ['in', 'source', { dataSource }],
        ['first', 'transform', { steps }],
        ['checked', 'rule', { ruleSet: { name } }],
        ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
      ],
      [
        ['in', 'first'],
        ['first', 'checked'],
        ['checked', 'out']
      ]
    )
  )
  const { runId, status, message } = await program.run({ workflowId })
  expect([status, message]).toEqual(['succeeded', undefined])
  return { itemId, runId, workflowId }
}
const changedBy = async ({ itemId, runId }: { itemId: string; runId: string }, when: string) => {
  await program.flowforge.catalog.edit({ itemId, spec: rejecting(when) })
  const { nodes } = await program.flowforge.catalog.whatIf({ itemId, runId })
  return nodes[0]?.changed
}
const outcomes = (rows: readonly Record<string, unknown>[] = []) =>
  rows.map((row) => [row['k'], row['_outcome now'], row['_outcome with the draft']])

test('rows for which an expression failed in the run are left out, as they were', async () => {
  await program.importText('cells.csv', 'k,v\na,1\nb,two\nc,3\n')
  const run = await withRun('cells.csv', 'n < 2', [{ op: 'derive', columns: { n: 'CAST(v AS INTEGER)' } }])
  const changed = await changedBy(run, 'n < 4')
  expect(changed?.total).toBe(1)
  expect(outcomes(changed?.rows)).toEqual([['c', 'passes', 'rejected']])
})

test('a row for which the draft fails is one whose outcome changes', async () => {
  const run = await withRun('cells.csv', `k = 'z'`)
  const changed = await changedBy(run, 'CAST(v AS INTEGER) > 2')
  expect(outcomes(changed?.rows)).toEqual([
    ['b', 'passes', 'rejected'],
    ['c', 'passes', 'rejected']
  ])
  expect(changed?.rows[0]).toMatchObject({
    '_rule with the draft': null,
    '_reason with the draft': expect.stringContaining('cannot be computed') as string
  })
})

test('what the run read is read again, whatever has become of it since', async () => {
  await program.importText('old.csv', 'k,n\na,1\nb,2\n')
  await program.importText('new.csv', 'k,n\nx,9\n')
  const writes = async (dataSource: string) => {
    const { workflowId } = await program.flowforge.workflows.import(
      documentOf(
        `Writes ${dataSource}`,
        [
          ['in', 'source', { dataSource }],
          ['keep', 'sink', { dataset: { name: 'kept', mode: 'replace' } }]
        ],
        [['in', 'keep']]
      )
    )
    expect(await program.run({ workflowId })).toMatchObject({ status: 'succeeded' })
  }
  await writes('old.csv')
  const run = await withRun('kept', 'n < 0')
  await writes('new.csv')
  expect(outcomes((await changedBy(run, 'n < 2'))?.rows)).toEqual([['a', 'passes', 'rejected']])
})

test('a file that was imported again stands for the one that was read where it is read with the same options', async () => {
  const { sources, workflows } = program.flowforge
  const file = new File(['k;n,m\na;1,2\nb;3,4\n'], 'told.csv')
  const options = { delimiter: ';' }
  const { dataSourceId } = await sources.importFile({ file, options })
  const { workflowId, ...run } = await withRun('told.csv', `k = 'z'`)
  await workflows.remove({ workflowId })
  await sources.remove({ dataSourceId })
  const other = await sources.importFile({ file, options: { delimiter: ',' } })
  await expect(changedBy(run, `k = 'a'`)).rejects.toMatchObject({ code: 'CONFLICT' })
  await sources.remove({ dataSourceId: other.dataSourceId })
  await sources.importFile({ file, options })
  expect(outcomes((await changedBy(run, `k = 'a'`))?.rows)).toEqual([['a', 'passes', 'rejected']])
})

test('rows may have columns by any name', async () => {
  await program.importText('odd.csv', 'k,_row,_side,_outcome,n\na,1,x,y,1\nb,1,x,y,2\nc,1,x,y,3\n')
  const run = await withRun('odd.csv', 'n < 0')
  const changed = await changedBy(run, 'n = 2')
  expect(changed?.total).toBe(1)
  expect(outcomes(changed?.rows)).toEqual([['b', 'passes', 'rejected']])
  expect(changed?.rows[0]).toMatchObject({ _row: 1, _side: 'x', _outcome: 'y' })
})
