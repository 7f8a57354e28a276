import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { IN_MEMORY } from '../engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './contract/test-program.ts'

let context: DbContext
let program: TestProgram
beforeEach(async () => {
  const { newId: _, ...memory } = IN_MEMORY
  context = await openDbContext({ ...memory, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
})
afterEach(() => program.close())

const CSV = 'k,v\na,1\nb,two\nc,3\nd,\n'
const casting = { steps: [{ op: 'derive', columns: { n: 'CAST(v AS INTEGER)' } }] }
const nodes: Parameters<typeof documentOf>[1] = [
  ['in', 'source', { dataSource: 'in.csv' }],
  ['cast', 'transform', casting],
  ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
]
const edges: Parameters<typeof documentOf>[2] = [
  ['in', 'cast'],
  ['cast', 'out']
]

const prepare = async (document: ReturnType<typeof documentOf>): Promise<string> => {
  await program.importText('in.csv', CSV)
  return (await program.flowforge.workflows.import(document)).workflowId
}
const rejectedIn = async (runId: string, nodeId: string): Promise<unknown> => {
  const [row] = await context.projectionStore.query({
    sql: `SELECT stats_json ->> '$.rejected' AS n FROM run_steps WHERE id = ?`,
    params: [`${runId}/${nodeId}`]
  })
  return row?.['n']
}
const logsOf = (runId: string, level: string) =>
  context.projectionStore.query({
    sql: `SELECT message FROM run_logs WHERE run_id = ? AND level = ?`,
    params: [runId, level]
  })

describe('a row for which an expression fails', () => {
  test('does not end the run: it is counted, and said where nobody reads it', async () => {
    const workflowId = await prepare(documentOf('Casts', nodes, edges))
    const { runId, status } = await program.run({ workflowId })
    expect(status).toBe('succeeded')
    expect((await program.rows(runId, 'out')).map(({ k, n }) => [k, n])).toEqual([
      ['a', 1],
      ['c', 3],
      ['d', null]
    ])
    expect(await rejectedIn(runId, 'cast')).toBe(1)
    expect(await logsOf(runId, 'error')).toEqual([])
    expect((await logsOf(runId, 'warn'))[0]?.['message']).toContain('Nothing reads it')
  })

  test('is left out of a preview, which says so; what cannot be told by row is refused as before', async () => {
    const workflowId = await prepare(documentOf('Casts', nodes, edges))
    const { preview, edit } = program.flowforge.workflows
    const page = await preview({ workflowId, nodeId: 'cast' })
    expect(page).toMatchObject({ total: 3, isTried: true })
    expect(page.rows.map(({ k }) => k)).toEqual(['a', 'c', 'd'])
    expect(await preview({ workflowId, nodeId: 'out', port: 'in' })).toMatchObject({
      total: 3,
      isTried: true
    })
    expect(await preview({ workflowId, nodeId: 'in' })).not.toHaveProperty('isTried')
    const summing = { steps: [{ op: 'aggregate', groupBy: [], columns: { n: 'sum(CAST(v AS INTEGER))' } }] }
    await edit({ workflowId, changes: [{ type: 'set-spec', nodeId: 'cast', spec: summing }] })
    await expect(preview({ workflowId, nodeId: 'cast' })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  test('ends the run where that is asked for, also when a run before has rejected it', async () => {
    const workflowId = await prepare(documentOf('Casts', nodes, edges))
    await program.run({ workflowId })
    const { runId, status } = await program.run({ workflowId, onRowError: 'fail' })
    expect(status).toBe('failed')
    expect((await logsOf(runId, 'error'))[0]?.['message']).toContain(`Could not convert string 'two'`)
  })

  test('leaves by `rejected` as it came, with the reason, and reuses what was rejected before', async () => {
    const document = documentOf(
      'Casts',
      [...nodes, ['bad', 'sink', { format: 'csv', fileName: 'bad.csv' }]],
      [...edges, ['cast.rejected', 'bad']]
    )
    const workflowId = await prepare(document)
    const { runId, status } = await program.run({ workflowId })
    expect(status).toBe('succeeded')
    expect(await program.rows(runId, 'out')).toHaveLength(3)
    expect(await program.rows(runId, 'bad')).toEqual([
      { k: 'b', v: 'two', _reason: '"n" cannot be computed for this row: CAST(v AS INTEGER)' }
    ])
    expect(await logsOf(runId, 'warn')).toEqual([])
    const again = await program.run({ workflowId })
    expect(new Set(Object.values(await program.steps(again.runId)))).toEqual(new Set(['reused']))
  })

  test('is rejected at two nodes of one query, and what was done before stays done', async () => {
    const document = documentOf(
      'Casts',
      [
        ['in', 'source', { dataSource: 'in.csv' }],
        ['all', 'sink', { format: 'csv', fileName: 'all.csv' }],
        ['cast', 'transform', casting],
        [
          'rules',
          'rule',
          { rules: [{ name: 'even', when: `k <> 'c'`, set: { d: 'CAST(k AS DATE)' } }], mode: 'first' }
        ],
        ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
      ],
      [
        ['in', 'all'],
        ['in', 'cast'],
        ['cast', 'rules'],
        ['rules', 'out']
      ]
    )
    const workflowId = await prepare(document)
    const { runId, status } = await program.run({ workflowId })
    expect(status).toBe('succeeded')
    expect((await program.rows(runId, 'out')).map(({ k }) => k)).toEqual(['c'])
    expect(await program.rows(runId, 'all')).toHaveLength(4)
    expect([await rejectedIn(runId, 'cast'), await rejectedIn(runId, 'rules')]).toEqual([1, 2])
    expect(Object.values(await program.steps(runId)).filter((one) => one !== 'succeeded')).toEqual([])
  })

  test('leaves the rows that stayed explainable', async () => {
    const workflowId = await prepare(documentOf('Casts', nodes, edges))
    const { runId } = await program.run({ workflowId })
    const [table] = await context.projectionStore.query({
      sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table'`,
      params: [runId]
    })
    const told = await program.flowforge.explain.cell({
      artifactId: String(table?.['id']),
      row: 1,
      column: 'n'
    })
    expect(told.files.map(({ fileName }) => fileName)).toEqual(['in.csv'])
    // The third row of the file, though it is the second that stayed.
    expect(JSON.stringify(told)).toContain('"rowNumbers":[3]')
  })

  test('is told and explained also by a run that takes all from another, and by one that takes it from that', async () => {
    const workflowId = await prepare(documentOf('Casts', nodes, edges))
    await program.run({ workflowId })
    for (const time of ['second', 'third']) {
      // oxlint-disable-next-line no-await-in-loop -- each takes from the one before
      const { runId } = await program.run({ workflowId })
      expect(await program.steps(runId), time).toMatchObject({ cast: 'reused', out: 'reused' })
      expect(await rejectedIn(runId, 'cast'), time).toBe(1)
      expect((await logsOf(runId, 'warn'))[0]?.['message'], time).toContain('Nothing reads it')
      const missing = await program.flowforge.explain.missing({ runId, nodeId: 'out', key: { k: 'b' } })
      expect(missing.steps.at(-1), time).toMatchObject({ nodeId: 'cast', failures: [{ column: 'n' }] })
    }
  })

  test('is explained by a run that was reused without saying so', async () => {
    const workflowId = await prepare(documentOf('Casts', nodes, edges))
    await program.run({ workflowId })
    const { runId } = await program.run({ workflowId })
    await context.projectionStore.query({
      sql: `UPDATE run_steps SET stats_json = json_remove(stats_json, '$.rejected') WHERE run_id = ?`,
      params: [runId]
    })
    const found = await program.flowforge.explain.missing({ runId, nodeId: 'out', key: { k: 'b' } })
    expect(found.steps.at(-1)).toMatchObject({ nodeId: 'cast', failures: [{ column: 'n' }] })
  })

  const EARLY = `CAST(CASE WHEN k = 'a' THEN 'one' ELSE '1' END AS INTEGER) > 5`

  test('is missing for the expression that failed, in the words of the engine', async () => {
    const workflowId = await prepare(
      documentOf(
        'Casts',
        [
          ['in', 'source', { dataSource: 'in.csv' }],
          [
            'cast',
            'transform',
            {
              steps: [
                { op: 'filter', where: `k <> 'z'` },
                { op: 'derive', columns: { n: 'CAST(v AS INTEGER)' } }
              ]
            }
          ],
          [
            'rules',
            'rule',
            {
              rules: [
                { name: 'early', when: EARLY },
                { name: 'dated', when: `k = 'c'`, set: { d: 'CAST(k AS DATE)' } },
                { name: 'none', when: 'n IS NULL', reject: 'no number' }
              ],
              mode: 'first'
            }
          ],
          ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
        ],
        [
          ['in', 'cast'],
          ['cast', 'rules'],
          ['rules', 'out']
        ]
      )
    )
    const { runId } = await program.run({ workflowId })
    const lastFor = async (k: string) =>
      (await program.flowforge.explain.missing({ runId, nodeId: 'out', key: { k } })).steps.at(-1)
    expect(await lastFor('b')).toMatchObject({
      nodeId: 'cast',
      step: 1,
      op: 'derive',
      failures: [
        {
          column: 'n',
          text: 'CAST(v AS INTEGER)',
          message: expect.stringContaining(`Could not convert string 'two' to INTEGER`),
          rows: 1
        }
      ],
      elsewhere: [{ port: 'rejected', rows: 1 }]
    })
    expect(await lastFor('a')).toMatchObject({
      nodeId: 'rules',
      rules: [],
      failures: [
        { column: null, text: EARLY, message: expect.stringContaining(`convert string 'one'`), rows: 1 }
      ]
    })
    expect(await lastFor('c')).toMatchObject({
      nodeId: 'rules',
      rules: [],
      failures: [
        { column: 'd', text: 'CAST(k AS DATE)', message: expect.stringContaining('invalid date'), rows: 1 }
      ]
    })
    expect(await lastFor('d')).toMatchObject({
      nodeId: 'rules',
      failures: [],
      rules: [{ name: 'none', rows: 1, reject: 'no number' }]
    })
  })

  test('that cannot be told from the others ends the run', async () => {
    const sum = { steps: [{ op: 'aggregate', columns: { s: 'sum(CAST(v AS INTEGER))' } }] }
    const workflowId = await prepare(
      documentOf(
        'Sums',
        [
          ['in', 'source', { dataSource: 'in.csv' }],
          ['sum', 'transform', sum],
          ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
        ],
        [
          ['in', 'sum'],
          ['sum', 'out']
        ]
      )
    )
    expect((await program.run({ workflowId })).status).toBe('failed')
  })

  describe('of a branch', () => {
    const ways = (mode: 'first' | 'all', ...more: object[]) => ({
      mode,
      outputs: [
        { name: 'early', when: "k = 'c'" },
        { name: 'large', when: 'CAST(v AS INTEGER) >= 2' },
        { name: 'rest' },
        ...more
      ]
    })
    const sinks = ['early', 'large', 'rest', 'rejected']
    const branching = (mode: 'first' | 'all', read: readonly string[]) =>
      documentOf(
        'Branches',
        [
          ['in', 'source', { dataSource: 'in.csv' }],
          ['ways', 'branch', ways(mode)],
          ...read.map((name) => [`${name}s`, 'sink', { format: 'csv', fileName: `${name}.csv` }] as const)
        ],
        [['in', 'ways'], ...read.map((name) => [`ways.${name}`, `${name}s`] as const)]
      )
    const keysAt = async (runId: string, name: string) =>
      (await program.rows(runId, `${name}s`)).map(({ k }) => k)

    test.each([
      ['first', ['c'], [], ['a', 'd']],
      ['all', ['c'], ['c'], ['a', 'd']]
    ] as const)('leaves by rejected, in mode %s', async (mode, early, large, rest) => {
      const workflowId = await prepare(branching(mode, sinks))
      const { runId, status, message } = await program.run({ workflowId })
      expect([status, message]).toEqual(['succeeded', undefined])
      expect(await keysAt(runId, 'early')).toEqual(early)
      expect(await keysAt(runId, 'large')).toEqual(large)
      expect(await keysAt(runId, 'rest')).toEqual(rest)
      expect(await program.rows(runId, 'rejecteds')).toEqual([
        {
          k: 'b',
          v: 'two',
          _reason: 'The condition of "large" cannot be computed for this row: CAST(v AS INTEGER) >= 2'
        }
      ])
      expect(await rejectedIn(runId, 'ways')).toBe(1)
    })

    test('is counted and said where nobody reads it, and ends the run where that is asked for', async () => {
      const workflowId = await prepare(branching('all', ['early', 'large']))
      const { runId, status, message } = await program.run({ workflowId })
      expect([status, message]).toEqual(['succeeded', undefined])
      expect(await keysAt(runId, 'early')).toEqual(['c'])
      expect(await rejectedIn(runId, 'ways')).toBe(1)
      expect((await logsOf(runId, 'warn'))[0]?.['message']).toContain('Nothing reads it')
      const strict = await program.run({ workflowId, onRowError: 'fail', reuse: 'none' })
      expect(strict.status).toBe('failed')
    })

    test('is explained: it is missing at a way because its condition failed', async () => {
      const workflowId = await prepare(branching('first', sinks))
      const { runId } = await program.run({ workflowId })
      const { explain } = program.flowforge
      const found = await explain.missing({ runId, nodeId: 'larges', key: { k: 'b' } })
      expect(found.steps.at(-1)).toMatchObject({
        nodeId: 'ways',
        failures: [{ text: 'CAST(v AS INTEGER) >= 2', rows: 1 }],
        elsewhere: [{ port: 'rejected', rows: 1 }]
      })
    })
  })
})
