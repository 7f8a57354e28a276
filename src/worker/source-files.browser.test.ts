import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { IN_MEMORY } from './engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './runs/contract/test-program.ts'

let context: DbContext
let program: TestProgram
beforeEach(async () => {
  const { newId: _, ...memory } = IN_MEMORY
  context = await openDbContext({ ...memory, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
})
afterEach(() => program.close())

const kept = async (): Promise<string[]> => {
  const sql = `SELECT substr(key, 1, instr(key, '/')) AS folder FROM blobs
               WHERE key LIKE 'sources/%' OR key LIKE 'prepared/%' OR key LIKE 'profiles/%' ORDER BY key`
  return (await context.projectionStore.query({ sql })).map(({ folder }) => String(folder))
}

test('a data source that is removed gives back the room of its file, of what was prepared of it and of its profile', async () => {
  const { sources } = program.flowforge
  const dataSourceId = await program.importText('people.json', '[{"name":"Ada"},{"name":"Grace"}]')
  await sources.profile({ dataSourceId })
  expect(await kept()).toEqual(['prepared/', 'profiles/', 'sources/'])
  await sources.remove({ dataSourceId })
  expect(await kept()).toEqual([])
})

test('what another data source or a run reads stays', async () => {
  const { sources, workflows } = program.flowforge
  const text = '[{"n":1},{"n":2}]'
  const first = await program.importText('a.json', text)
  const second = await program.importText('b.json', text)
  await sources.remove({ dataSourceId: first })
  expect(await kept()).toEqual(['prepared/', 'sources/'])
  expect((await sources.preview({ dataSourceId: second })).rows).toEqual([{ n: 1 }, { n: 2 }])

  const nodes = [
    ['in', 'source', { dataSource: 'b.json' }],
    ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
  ] as const
  const { workflowId } = await workflows.import(documentOf('Reads', nodes, [['in', 'out']]))
  expect((await program.run({ workflowId })).status).toBe('succeeded')
  await workflows.remove({ workflowId })
  await sources.remove({ dataSourceId: second })
  expect(await kept()).toEqual(['prepared/', 'sources/'])
})

test('an import that fails after its file was prepared leaves nothing behind', async () => {
  const { sources } = program.flowforge
  const { runInTransaction } = context.tx
  Object.assign(context.tx, { runInTransaction: () => Promise.reject(new Error('no')) })
  await expect(sources.importFile({ file: new File(['[{"n":1}]'], 'n.json') })).rejects.toThrow('no')
  Object.assign(context.tx, { runInTransaction })
  expect(await kept()).toEqual([])
})
