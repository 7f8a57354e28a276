import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { IN_MEMORY } from './engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './runs/contract/test-program.ts'

let context: DbContext
let program: TestProgram
let dataSourceId = ''
const profileKeys = async (): Promise<string[]> =>
  (
    await context.projectionStore.query({
      sql: `SELECT key FROM blobs WHERE key LIKE 'profiles/%' ORDER BY created_at, key`
    })
  ).map(({ key }) => String(key))

const artifactsOf = (runId: string) =>
  context.projectionStore.query({
    sql: `SELECT id, kind FROM artifacts WHERE run_id = ? AND stats_json ->> '$.role' = 'result' ORDER BY kind`,
    params: [runId]
  })

beforeAll(async () => {
  context = await openDbContext(IN_MEMORY)
  program = await startTestProgram(context)
  dataSourceId = await program.importText(
    'n.csv',
    'id,place,day\n1,a,1850-01-01\n2,b,2026-11-24\n3,b,\n4,,\n'
  )
}, 60_000)
afterAll(() => program.close())

const sums = documentOf(
  'Sums',
  [
    ['n', 'source', { dataSource: 'n.csv' }],
    [
      'sum',
      'transform',
      { steps: [{ op: 'aggregate', groupBy: ['place'], columns: { total: 'sum(id * 2)', ids: 'list(id)' } }] }
    ],
    ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
  ],
  [
    ['n', 'sum'],
    ['sum', 'out']
  ]
)

it('tells what stands in a source, and keeps it', async () => {
  const profile = await program.flowforge.sources.profile({ dataSourceId })
  expect(profile).toMatchObject({ rows: 4, total: 4, isExact: true })
  expect(
    profile.columns.map(({ name, nulls, distinct, min, max }) => [name, nulls, distinct, min, max])
  ).toEqual([
    ['id', 0, 4, '1', '4'],
    ['place', 1, 2, 'a', 'b'],
    ['day', 2, 2, '1850-01-01', '2026-11-24']
  ])
  // Read in another way it is another table.
  const whole = await program.flowforge.sources.profile({ dataSourceId, options: { header: false } })
  expect(whole).toMatchObject({ rows: 5, columns: { 0: { distinct: 5, type: 'text' } } })
  const [key = ''] = await profileKeys()
  // What is kept is what is answered: a changed one shows.
  const changed = JSON.stringify({ ...profile, total: 5 })
  await context.blobStore.put({ key, data: new TextEncoder().encode(changed) })
  expect(await program.flowforge.sources.profile({ dataSourceId })).toMatchObject({ total: 5 })
  await context.blobStore.put({ key, data: new TextEncoder().encode(JSON.stringify(profile)) })
})

it('tells what stands in a result, 128-bit sums and lists included; its file and another run of it have the same', async () => {
  const { workflowId } = await program.flowforge.workflows.import(sums)
  const { runId, status } = await program.run({ workflowId })
  expect(status).toBe('succeeded')
  const [file, table] = await artifactsOf(runId)
  const [profile, same] = await Promise.all([
    program.flowforge.artifacts.profile({ artifactId: String(table?.['id']) }),
    program.flowforge.artifacts.profile({ artifactId: String(file?.['id']) })
  ])
  expect(same).toEqual(profile)
  expect(profile.columns).toMatchObject([
    { name: 'place', nulls: 1, distinct: 2 },
    { name: 'total', type: 'integer', min: '2', max: '10', distinct: 3 },
    { name: 'ids', type: 'json', min: null, distinct: 3, histogram: null }
  ])
  expect(profile.columns[1]?.quantiles?.[2]).toBe(8)
  const before = await profileKeys()
  const again = await program.run({ workflowId, reuse: 'none' })
  const [, rewritten] = await artifactsOf(again.runId)
  expect(await program.flowforge.artifacts.profile({ artifactId: String(rewritten?.['id']) })).toEqual(
    profile
  )
  expect(await profileKeys()).toEqual(before)
})

it('has a profile of no rows, and says what it does not know', async () => {
  const empty = documentOf(
    'Nothing',
    [
      ['n', 'source', { dataSource: 'n.csv' }],
      ['none', 'transform', { steps: [{ op: 'filter', where: 'id > 9' }] }],
      ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
    ],
    [
      ['n', 'none'],
      ['none', 'out']
    ]
  )
  const { workflowId } = await program.flowforge.workflows.import(empty)
  const { runId } = await program.run({ workflowId })
  const [, table] = await artifactsOf(runId)
  const profile = await program.flowforge.artifacts.profile({ artifactId: String(table?.['id']) })
  expect(profile).toMatchObject({ rows: 0, total: 0 })
  expect(profile.columns.map(({ name, min }) => [name, min])).toEqual([
    ['id', null],
    ['place', null],
    ['day', null]
  ])
  await expect(program.flowforge.artifacts.profile({ artifactId: 'artifact:none' })).rejects.toMatchObject({
    code: 'NOT_FOUND'
  })
})

it("goes with its source's bytes", async () => {
  const other = await program.importText('gone.csv', 'a\n1\n')
  const before = await profileKeys()
  await program.flowforge.sources.profile({ dataSourceId: other })
  expect(await profileKeys()).toHaveLength(before.length + 1)
  await program.flowforge.sources.remove({ dataSourceId: other })
  expect(await profileKeys()).toEqual(before)
})
