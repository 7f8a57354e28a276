import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'

let context: DbContext
let program: TestProgram
beforeEach(async () => {
  context = await openDbContext(IN_MEMORY)
  program = await startTestProgram(context)
})
afterEach(() => program.close())

const writing = async (
  dataSource: string,
  dataset: { name: string; mode: 'replace' | 'append' },
  steps: readonly unknown[] = []
): Promise<string> => {
  const { workflowId } = await program.flowforge.workflows.import(
    documentOf(
      `writes ${dataset.name}`,
      [
        ['in', 'source', { dataSource }],
        ['change', 'transform', { steps }],
        ['keep', 'sink', { dataset }]
      ],
      [
        ['in', 'change'],
        ['change', 'keep']
      ]
    )
  )
  return workflowId
}
const reading = async (dataSource: string): Promise<string> => {
  const { workflowId } = await program.flowforge.workflows.import(
    documentOf(
      `reads ${dataSource}`,
      [
        ['in', 'source', { dataSource }],
        ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
      ],
      [['in', 'out']]
    )
  )
  return workflowId
}
const query = (sql: string, ...params: unknown[]) => context.projectionStore.query({ sql, params })
const datasets = () =>
  query(
    `SELECT name, format, stats_json ->> '$.rows' AS n, stats_json ->> '$.version' AS version FROM datasets`
  )
const rowsOf = async (name: string): Promise<readonly Record<string, unknown>[]> => {
  const { runId, status, message } = await program.run({ workflowId: await reading(name) })
  expect([status, message]).toEqual(['succeeded', undefined])
  return program.rows(runId, 'out')
}

describe('a dataset that a run writes', () => {
  test('is there under its name once the run has succeeded, and read by that name', async () => {
    await program.importText('a.csv', 'id,name\n1,Ann\n2,Bo\n')
    const workflowId = await writing('a.csv', { name: 'people', mode: 'replace' })
    expect(await program.run({ workflowId })).toMatchObject({ status: 'succeeded' })
    expect(await datasets()).toEqual([{ name: 'people', format: 'arrow', n: 2, version: 1 }])
    expect(await rowsOf('people')).toEqual([
      { id: 1, name: 'Ann' },
      { id: 2, name: 'Bo' }
    ])
  })

  test('is replaced by a new version, and a run of before is repeated over the version that it read', async () => {
    await program.importText('a.csv', 'id\n1\n')
    await program.importText('b.csv', 'id,x\n7,y\n8,z\n')
    await program.run({ workflowId: await writing('a.csv', { name: 'd', mode: 'replace' }) })
    const before = await program.run({ workflowId: await reading('d') })
    await program.run({ workflowId: await writing('b.csv', { name: 'd', mode: 'replace' }) })
    expect(await datasets()).toEqual([{ name: 'd', format: 'arrow', n: 2, version: 2 }])
    expect(await rowsOf('d')).toEqual([
      { id: 7, x: 'y' },
      { id: 8, x: 'z' }
    ])
    const [row] = await query('SELECT input_manifest_json AS m FROM runs WHERE id = ?', before.runId)
    const [source] = JSON.parse(String(row?.['m'])).sources
    const [first] = await query(
      `SELECT payload_json ->> '$.content.spec.stats.sha256' AS sha256 FROM events
       WHERE event_type = 'CatalogItemVersionPublished' ORDER BY position LIMIT 1`
    )
    expect(source).toMatchObject({ name: 'd', sha256: first?.['sha256'] })
    const { runId } = await program.flowforge.runs.verify({ runId: before.runId })
    expect(await program.flowforge.runs.wait({ runId })).toEqual({ status: 'succeeded' })
  })

  test('is the same in the lineage of the run that writes it and of one that reads it', async () => {
    await program.importText('a.csv', 'id\n1\n')
    const written = await program.run({ workflowId: await writing('a.csv', { name: 'd', mode: 'replace' }) })
    const read = await program.run({ workflowId: await reading('d') })
    const [, writes] = await program.flowforge.lineage.openLineage({ runId: written.runId })
    const [, reads] = await program.flowforge.lineage.openLineage({ runId: read.runId })
    expect(writes?.outputs.map(({ name }) => name)).toEqual(['d'])
    expect(reads?.inputs.map(({ name }) => name)).toEqual(['d'])
    const repeated = await program.flowforge.runs.verify({ runId: written.runId })
    await program.flowforge.runs.wait(repeated)
    const [, again] = await program.flowforge.lineage.openLineage(repeated)
    expect(again?.outputs.map(({ name }) => name)).toEqual(['writes d/keep'])
  })

  test('grows by rows whose columns have its names, in whatever order', async () => {
    await program.importText('a.csv', 'id,name\n1,Ann\n')
    await program.importText('b.csv', 'name,id\nBo,2\nCy,3\n')
    await program.run({ workflowId: await writing('a.csv', { name: 'd', mode: 'append' }) })
    await program.run({ workflowId: await writing('b.csv', { name: 'd', mode: 'append' }) })
    expect(await rowsOf('d')).toEqual([
      { id: 1, name: 'Ann' },
      { id: 2, name: 'Bo' },
      { id: 3, name: 'Cy' }
    ])
  })

  test('takes no rows with other columns, and says which', async () => {
    await program.importText('a.csv', 'id,name\n1,Ann\n')
    await program.importText('b.csv', 'id,age\nx,3\n')
    await program.run({ workflowId: await writing('a.csv', { name: 'd', mode: 'replace' }) })
    const workflowId = await writing('b.csv', { name: 'd', mode: 'append' })
    await expect(program.flowforge.runs.start({ workflowId })).rejects.toMatchObject({
      message: expect.stringContaining(
        '"id" is text and there integer; "name" is missing; "age" is not in it'
      )
    })
    expect(await datasets()).toEqual([{ name: 'd', format: 'arrow', n: 1, version: 1 }])
  })

  test('is written by a run that did it again from stored rows, too', async () => {
    await program.importText('a.csv', 'id\n1\n')
    const workflowId = await writing('a.csv', { name: 'd', mode: 'append' })
    await program.run({ workflowId })
    const again = await program.run({ workflowId })
    expect(again).toMatchObject({ status: 'succeeded' })
    expect(await datasets()).toEqual([{ name: 'd', format: 'arrow', n: 2, version: 2 }])
  })
})

describe('a dataset stays as it is', () => {
  test('when the run that would write it fails', async () => {
    await program.importText('a.csv', 'id\n1\n')
    const nodes = documentOf(
      'fails',
      [
        ['in', 'source', { dataSource: 'a.csv' }],
        ['keep', 'sink', { dataset: { name: 'd', mode: 'replace' } }],
        [
          'bad',
          'transform',
          { steps: [{ op: 'sql', query: `SELECT CAST('x' || id AS INTEGER) AS y FROM input` }] }
        ],
        ['file', 'sink', { format: 'csv', fileName: 'a.csv' }]
      ],
      [
        ['in', 'keep'],
        ['in', 'bad'],
        ['bad', 'file']
      ]
    )
    const { workflowId } = await program.flowforge.workflows.import(nodes)
    expect(await program.run({ workflowId })).toMatchObject({ status: 'failed' })
    expect(await datasets()).toEqual([])
    expect(await query(`SELECT 1 FROM events WHERE aggregate_type = 'catalog'`)).toEqual([])
  })

  test('when a run only repeats another one', async () => {
    await program.importText('a.csv', 'id\n1\n')
    const { runId } = await program.run({ workflowId: await writing('a.csv', { name: 'd', mode: 'append' }) })
    const again = await program.flowforge.runs.verify({ runId })
    expect(await program.flowforge.runs.wait({ runId: again.runId })).toEqual({ status: 'succeeded' })
    expect(await datasets()).toEqual([{ name: 'd', format: 'arrow', n: 1, version: 1 }])
  })
})

describe('names', () => {
  test('are either of a data source or of a dataset', async () => {
    const dataSourceId = await program.importText('a.csv', 'id\n1\n')
    const workflowId = await writing('a.csv', { name: 'a.csv', mode: 'replace' })
    const isTaken = { message: expect.stringContaining('"a.csv" is the name of a data source') }
    await expect(program.flowforge.runs.start({ workflowId })).rejects.toMatchObject(isTaken)
    const content = { kind: 'dataset', spec: {} } as const
    await expect(program.flowforge.catalog.create({ name: 'a.csv', content })).rejects.toMatchObject(isTaken)
    await program.flowforge.catalog.create({ name: 'd', content })
    await expect(program.flowforge.sources.rename({ dataSourceId, name: 'd' })).rejects.toMatchObject({
      code: 'CONFLICT'
    })
    const imported = await program.flowforge.sources.importFile({
      file: new File(['x\n1\n'], 'd.csv'),
      name: 'd'
    })
    expect(imported.name).toBe('d (2)')
  })

  test('of a dataset without rows say that there are none yet', async () => {
    await program.flowforge.catalog.create({ name: 'd', content: { kind: 'dataset', spec: {} } })
    const workflowId = await reading('d')
    await expect(program.flowforge.runs.start({ workflowId })).rejects.toMatchObject({
      message: expect.stringContaining('Nothing has been written to the dataset "d" yet')
    })
  })

  test('are written once in a run', async () => {
    await program.importText('a.csv', 'id\n1\n')
    const dataset = { name: 'd', mode: 'append' }
    const nodes = documentOf(
      'twice',
      [
        ['in', 'source', { dataSource: 'a.csv' }],
        ['one', 'sink', { dataset }],
        ['two', 'sink', { dataset }]
      ],
      [
        ['in', 'one'],
        ['in', 'two']
      ]
    )
    await expect(program.flowforge.workflows.import(nodes)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})
