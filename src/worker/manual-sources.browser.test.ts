import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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

const columns = [
  { name: 'currency', type: 'text' },
  { name: 'rate', type: 'decimal' }
] as const
const rates = (...rows: (string | number | null)[][]) => ({ columns: [...columns], rows })
const FIRST = rates(['EUR', '1.10'], ['GBP', '1.25'])
const SECOND = rates(['EUR', '1.20'], ['GBP', '1.25'], ['CHF', '1.05'])

const document = documentOf(
  'Rates',
  [
    ['in', 'source', { dataSource: 'Rates' }],
    ['all', 'transform', { steps: [{ op: 'derive', columns: { cents: 'rate * 100' } }] }],
    ['result', 'sink', { format: 'csv', fileName: 'rates.csv' }]
  ],
  [
    ['in', 'all'],
    ['all', 'result']
  ]
)
const sourceHash = async (runId: string) => (await program.artifacts(runId, 'source'))['in file']
const blobKeys = async (): Promise<string[]> => {
  const sql = `SELECT key FROM blobs WHERE key LIKE 'sources/%' OR key LIKE 'prepared/%' ORDER BY key`
  return (await context.projectionStore.query({ sql })).map(({ key }) => String(key))
}

describe('rows typed by hand', () => {
  test('are of every type, keep every digit, and tell NULL from the empty text', async () => {
    const { sources } = program.flowforge
    const types = [
      'text',
      'integer',
      'number',
      'decimal',
      'boolean',
      'date',
      'time',
      'timestamp',
      'json'
    ] as const
    const { dataSourceId } = await sources.createManual({
      name: 'All',
      // Names that an object would sort or lose.
      columns: types.map((type, at) => ({ name: String(types.length - at), type })),
      rows: [
        [
          '',
          '9223372036854775807',
          '.5',
          '1234567890123456789012345678.0123456789',
          'TRUE',
          '2024-02-29',
          '23:59',
          '2024-02-29T23:59:59.123456',
          '{"a":12345678901234567890}'
        ],
        types.map(() => null),
        ['a\n"b"', -3, 2.5, 7n, false, '0001-01-01', '00:00:00.000001', '2024-01-01 00:00', 'null']
      ]
    })
    const page = await sources.preview({ dataSourceId })
    expect(page.columns.map(({ name, type }) => [name, type])).toEqual(
      types.map((type, at) => [String(types.length - at), type])
    )
    const values = page.rows.map((row) => page.columns.map(({ name }) => row[name]))
    expect(values[0]).toEqual([
      '',
      9223372036854775807n,
      0.5,
      '1234567890123456789012345678.0123456789',
      true,
      '2024-02-29',
      '23:59:00',
      '2024-02-29T23:59:59.123456',
      '{"a":12345678901234567890}'
    ])
    expect(values[1]).toEqual(types.map(() => null))
    expect(values[2]?.slice(0, 5)).toEqual(['a\n"b"', -3, 2.5, '7.0000000000', false])
    expect(values[2]?.slice(5)).toEqual(['0001-01-01', '00:00:00.000001', '2024-01-01T00:00:00.000', 'null'])
    const kept = await sources.readManual({ dataSourceId })
    expect(kept.rows[2]).toEqual([
      'a\n"b"',
      '-3',
      '2.5',
      '7',
      'false',
      '0001-01-01',
      '00:00:00.000001',
      '2024-01-01 00:00',
      'null'
    ])
    expect(kept.rows[0]?.[0]).toBe('')
    const none = await sources.createManual({ name: 'None yet', columns: [...columns], rows: [] })
    expect(await sources.preview({ dataSourceId: none.dataSourceId })).toMatchObject({ total: 0, rows: [] })
  })

  test('are never in an event, and land once however often the call is sent', async () => {
    const { sources } = program.flowforge
    const { dataSourceId, name } = await sources.createManual({ ...FIRST, name: ' Rates ' })
    expect(name).toBe('Rates')
    expect((await sources.createManual({ ...FIRST, name: 'Rates' })).name).toBe('Rates (2)')
    await sources.editManual({ dataSourceId, ...SECOND })
    const events = await context.eventStore.load({ aggregateId: dataSourceId })
    expect(events.map(({ eventType }) => eventType)).toEqual(['ManualSourceCreated', 'ManualSourceEdited'])
    expect(JSON.stringify(events)).not.toContain('EUR')
    expect(events[1]?.payload).toMatchObject({ content: { prepared: { rows: 3 } } })
  })

  test('that do not fit are refused with their place, and leave nothing behind', async () => {
    const { sources } = program.flowforge
    const { dataSourceId } = await sources.createManual({ name: 'Rates', ...FIRST })
    const before = await blobKeys()
    const bad = rates(['EUR', '1.10'], ['GBP', 'dear'])
    await expect(sources.editManual({ dataSourceId, ...bad })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'Row 2, column "rate": "dear" is no decimal number.',
      details: { row: 1, column: 1 }
    })
    await expect(sources.createManual({ name: 'Other', ...bad })).rejects.toMatchObject({
      code: 'INVALID_INPUT'
    })
    expect(await blobKeys()).toEqual(before)
    const file = await program.importText('a.csv', 'a\n1\n')
    await expect(sources.editManual({ dataSourceId: file, ...FIRST })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: { reason: 'not-typed-by-hand' }
    })
  })

  test('that somebody else edited since are not written over', async () => {
    const { sources } = program.flowforge
    const { dataSourceId } = await sources.createManual({ name: 'Rates', ...FIRST })
    const { sha256 } = await sources.readManual({ dataSourceId })
    await sources.editManual({ dataSourceId, expectedSha256: sha256, ...SECOND })
    const third = { dataSourceId, expectedSha256: sha256, ...rates(['USD', '1']) }
    await expect(sources.editManual(third)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await sources.readManual({ dataSourceId })).rows).toEqual(SECOND.rows)
    expect(await sources.editManual({ dataSourceId, ...SECOND })).toMatchObject({ isChanged: false })
  })

  test('are read by runs as a file is; an edit is read by the next run, and past runs keep what they read', async () => {
    const { sources, workflows, runs, explain } = program.flowforge
    const { dataSourceId } = await sources.createManual({ name: 'Rates', ...FIRST })
    const { workflowId } = await workflows.import(document)
    const first = await program.run({ workflowId })
    expect(first.status).toBe('succeeded')
    const again = await program.run({ workflowId })
    expect(new Set(Object.values(await program.steps(again.runId)))).toEqual(new Set(['reused']))

    await sources.editManual({ dataSourceId, ...SECOND })
    const next = await program.run({ workflowId })
    expect(next.status).toBe('succeeded')
    expect(Object.values(await program.steps(next.runId))).not.toContain('reused')
    expect(await program.rows(next.runId, 'result')).toMatchObject([
      { currency: 'EUR', rate: '1.2000000000' },
      { currency: 'GBP' },
      { currency: 'CHF' }
    ])
    expect(await sourceHash(next.runId)).not.toBe(await sourceHash(first.runId))

    // The old run: its rows, why they are so, and the same again.
    expect(await program.rows(first.runId, 'result')).toMatchObject([
      { rate: '1.1000000000' },
      { currency: 'GBP' }
    ])
    const [artifact] = await context.projectionStore.query({
      sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table'`,
      params: [first.runId]
    })
    const why = await explain.cell({ artifactId: String(artifact?.['id']), row: 0, column: 'cents' })
    expect(JSON.stringify(why, (_, value) => (typeof value === 'bigint' ? String(value) : value))).toContain(
      '1.1000000000'
    )
    const { runId } = await runs.verify({ runId: first.runId })
    expect(await runs.wait({ runId })).toEqual({ status: 'succeeded' })
    expect(await program.rows(runId, 'result')).toEqual(await program.rows(first.runId, 'result'))

    // Columns that differ are told, as for a file.
    await sources.editManual({
      dataSourceId,
      columns: [columns[0], { name: 'rate', type: 'number' }],
      rows: [['EUR', '1.5']]
    })
    const drifted = await program.run({ workflowId })
    const sql = `SELECT message FROM run_logs WHERE run_id = ? AND level = 'warn'`
    const [warning] = await context.projectionStore.query({ sql, params: [drifted.runId] })
    expect(warning?.['message']).toMatch(/Rates is not as the last run read it/)
  })

  test('take no room once they are replaced and no run has read them', async () => {
    const { sources } = program.flowforge
    const { dataSourceId } = await sources.createManual({ name: 'Rates', ...FIRST })
    const before = await blobKeys()
    await sources.editManual({ dataSourceId, ...SECOND })
    const after = await blobKeys()
    expect(after).toHaveLength(before.length)
    expect(after.filter((key) => before.includes(key))).toEqual([])
  })
})
