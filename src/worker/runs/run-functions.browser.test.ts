import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'
import { manifestOf } from './manifest-of.ts'

let context: DbContext
let program: TestProgram
beforeEach(async () => {
  context = await openDbContext({ ...IN_MEMORY, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
})
afterEach(() => program.close())

const EXPRESSIONS = {
  at: 'run_time()',
  day: 'run_date()',
  chance: 'run_random(id)',
  named: `concat($run_time, '!')`
}
const document = documentOf(
  'Drawn lots',
  [
    ['in', 'source', { dataSource: 'in.csv' }],
    ['lots', 'transform', { steps: [{ op: 'derive', columns: EXPRESSIONS }] }],
    ['plain', 'transform', { steps: [{ op: 'derive', columns: { twice: 'id * 2' } }] }],
    ['csv', 'sink', { format: 'csv', fileName: 'lots.csv' }],
    ['other', 'sink', { format: 'csv', fileName: 'plain.csv' }]
  ],
  [
    ['in', 'lots'],
    ['lots', 'csv'],
    ['in', 'plain'],
    ['plain', 'other']
  ],
  { run_time: { type: 'text', default: 'mine' } }
)
const CSV = `id\n${Array.from({ length: 500 }, (_, at) => at).join('\n')}\n`

test('a run whose join leaves cells empty gives the same bytes when it is repeated', async () => {
  await program.importText('in.csv', CSV)
  await program.importText('few.csv', 'id,n,half\n3,30,1.5\n77,770,2.5\n')
  const joined = documentOf(
    'Joined',
    [
      ['in', 'source', { dataSource: 'in.csv' }],
      ['few', 'source', { dataSource: 'few.csv' }],
      ['join', 'join', { type: 'left', on: [{ left: 'id', right: 'id' }] }],
      ['csv', 'sink', { format: 'csv', fileName: 'joined.csv' }]
    ],
    [
      ['in', 'join.left'],
      ['few', 'join.right'],
      ['join', 'csv']
    ]
  )
  const { workflowId } = await program.flowforge.workflows.import(joined)
  const first = await program.run({ workflowId })
  expect(first.status).toBe('succeeded')
  for (let turn = 0; turn < 3; turn += 1) {
    const { runId } = await program.flowforge.runs.verify({ runId: first.runId })
    expect(await program.flowforge.runs.wait({ runId })).toEqual({ status: 'succeeded' })
    expect(await program.artifacts(runId)).toEqual(await program.artifacts(first.runId))
  }
})

describe("a run's functions", () => {
  test('say what its manifest says, which a run that repeats it takes over', async () => {
    await program.importText('in.csv', CSV)
    const { workflowId } = await program.flowforge.workflows.import(document)
    const first = await program.run({ workflowId })
    const manifest = await manifestOf(context, first.runId)
    expect(manifest.parameters).toEqual({ run_time: 'mine' })

    const verifying = await program.flowforge.runs.verify({ runId: first.runId })
    expect(await program.flowforge.runs.wait(verifying)).toEqual({ status: 'succeeded' })
    const repeated = await manifestOf(context, verifying.runId)
    expect([repeated.clock, repeated.seed]).toEqual([manifest.clock, manifest.seed])
    expect(await program.artifacts(verifying.runId)).toEqual(await program.artifacts(first.runId))

    const replayed = await program.run({ workflowId, replayOf: first.runId })
    expect(await program.artifacts(replayed.runId)).toEqual(await program.artifacts(first.runId))
    // One that repeats a repetition has the first one's moment, too.
    const again = await program.flowforge.runs.verify({ runId: replayed.runId })
    expect(await program.flowforge.runs.wait(again)).toEqual({ status: 'succeeded' })
  })

  test('are computed anew in a later run, and what does not use them is taken from before', async () => {
    await program.importText('in.csv', CSV)
    const { workflowId } = await program.flowforge.workflows.import(document)
    const first = await program.run({ workflowId })
    const second = await program.run({ workflowId })
    expect(await program.steps(second.runId)).toMatchObject({ csv: 'succeeded', other: 'reused' })
    const [before, after] = [await program.artifacts(first.runId), await program.artifacts(second.runId)]
    expect(after['csv table']).not.toBe(before['csv table'])
    expect(after['other table']).toBe(before['other table'])
  })

  test('are shown in a preview and told of a past run with its own moment', async () => {
    await program.importText('in.csv', CSV)
    const { workflowId } = await program.flowforge.workflows.import(document)
    const shown = await program.flowforge.workflows.preview({ workflowId, nodeId: 'lots', limit: 2 })
    const again = await program.flowforge.workflows.preview({ workflowId, nodeId: 'lots', limit: 2 })
    expect(shown.rows.map((row) => row['chance'])).toEqual(again.rows.map((row) => row['chance']))
    expect(shown.rows[0]?.['named']).toBe('mine!')
    expect(shown.rows[0]?.['at']).not.toBeNull()

    const { runId } = await program.run({ workflowId })
    const { clock = '' } = await manifestOf(context, runId)
    const [artifact] = await context.projectionStore.query({
      sql: `SELECT id FROM artifacts WHERE run_id = ? AND node_id LIKE '%/csv' AND kind = 'table'`,
      params: [runId]
    })
    const artifactId = String(artifact?.['id'])
    const explained = await program.flowforge.explain.cell({ artifactId, row: 0, column: 'at' })
    expect(JSON.stringify(explained)).toContain(clock.slice(0, 10))
    expect(JSON.stringify(explained)).toContain(clock.slice(11, 19))
  })
})
