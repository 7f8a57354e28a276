import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { IN_MEMORY } from './engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './runs/contract/test-program.ts'

let context: DbContext
let program: TestProgram
beforeAll(async () => {
  const { newId: _, ...memory } = IN_MEMORY
  context = await openDbContext({ ...memory, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
  await program.importText('in.csv', 'k,v\na,1\nb,two\nc,3\nd,\n')
  await program.importText('codes.csv', 'code,label,ok\na,first,good\nb,second,poor\nc,third,good\n')
  await program.importText('wide.csv', 'id,jan,feb\n1,3,9\n2,7,8\n')
})
afterAll(() => program.close())

type Document = ReturnType<typeof documentOf>
const OUT = ['out', 'sink', { format: 'csv', fileName: 'out.csv' }] as const
const BAD = ['bad', 'sink', { format: 'csv', fileName: 'bad.csv' }] as const

const runOf = async (document: Document): Promise<string> => {
  const { workflowId } = await program.flowforge.workflows.import(document)
  const { runId, status, message } = await program.run({ workflowId })
  expect([status, message]).toEqual(['succeeded', undefined])
  return runId
}
/** The same with a condition on one of its edges. */
const withCondition = (document: Document, from: string, condition: string): Document => ({
  ...document,
  edges: document.edges.map((edge) => (edge.from === from ? { ...edge, condition } : edge))
})
const cell = async (runId: string, nodeId: string, row: number, column: string) => {
  const [table] = await context.projectionStore.query({
    sql: `SELECT id FROM artifacts WHERE run_id = ? AND kind = 'table' AND node_id LIKE '%/' || ?`,
    params: [runId, nodeId]
  })
  return program.flowforge.explain.cell({ artifactId: String(table?.['id']), row, column })
}
const missing = (runId: string, nodeId: string, key: Record<string, string | number>) =>
  program.flowforge.explain.missing({ runId, nodeId, key })

describe('a group of all rows', () => {
  test('is passed by a row that is looked for', async () => {
    const runId = await runOf(
      documentOf(
        'All',
        [
          ['in', 'source', { dataSource: 'in.csv' }],
          ['all', 'transform', { steps: [{ op: 'aggregate', columns: { n: 'count(*)' } }] }],
          ['many', 'transform', { steps: [{ op: 'filter', where: 'n > 100' }] }],
          OUT
        ],
        [
          ['in', 'all'],
          ['all', 'many'],
          ['many', 'out']
        ]
      )
    )
    const found = await missing(runId, 'out', { k: 'a' })
    expect(found.outcome).toBe('lost')
    expect(found.steps.at(-1)).toMatchObject({ nodeId: 'many', rowsIn: 1, rowsOut: 0, lost: [{ n: 4 }] })
    expect(await missing(runId, 'all', { k: 'a' })).toMatchObject({ outcome: 'there', rows: 1 })
  })
})

describe('the condition of an edge', () => {
  const joined = documentOf(
    'Joined',
    [
      ['in', 'source', { dataSource: 'in.csv' }],
      ['codes', 'source', { dataSource: 'codes.csv' }],
      ['both', 'join', { type: 'inner', on: [{ left: 'k', right: 'code' }] }],
      OUT
    ],
    [
      ['in', 'both.left'],
      ['codes', 'both.right'],
      ['both', 'out']
    ]
  )
  const united = documentOf(
    'United',
    [
      ['in', 'source', { dataSource: 'in.csv' }],
      ['codes', 'source', { dataSource: 'codes.csv' }],
      ['all', 'transform', { steps: [{ op: 'union' }] }],
      OUT
    ],
    [
      ['in', 'all'],
      ['codes', 'all'],
      ['all', 'out']
    ]
  )
  test.each([
    ['the right side of a join', joined, 'both'],
    ['a union', united, 'all']
  ])('before %s is told where it took a row, and on the way of a value', async (_, document, nodeId) => {
    const runId = await runOf(withCondition(document, 'codes', `ok = 'good'`))
    const found = await missing(runId, 'out', { code: 'b' })
    expect(found.outcome).toBe('lost')
    expect(found.steps.at(-1)).toMatchObject({
      nodeId,
      op: 'edge',
      rowsIn: 1,
      rowsOut: 0,
      texts: [{ role: 'condition', text: `ok = 'good'` }],
      lost: [{ ok: 'poor' }]
    })
    const rows = await program.rows(runId, 'out')
    const row = rows.findIndex(({ code }) => code === 'c')
    const { steps } = await cell(runId, 'out', row, 'label')
    expect(steps.filter(({ op }) => op === 'edge')).toMatchObject([{ nodeId, rows: [{ label: 'third' }] }])
    expect(steps.find(({ nodeId: id }) => id === 'codes')?.rowNumbers).toEqual([3])
  })
})

describe('a row that met the condition of an edge', () => {
  test('and is lost in the node behind it did not leave by another port', async () => {
    const document = documentOf(
      'Filtered',
      [
        ['in', 'source', { dataSource: 'codes.csv' }],
        ['few', 'transform', { steps: [{ op: 'filter', where: `label = 'second'` }] }],
        OUT
      ],
      [
        ['in', 'few'],
        ['few', 'out']
      ]
    )
    const runId = await runOf(withCondition(document, 'in', `ok = 'good'`))
    const found = await missing(runId, 'out', { code: 'a' })
    expect(found.steps.map(({ op, rowsOut, elsewhere }) => [op, rowsOut, elsewhere])).toEqual([
      ['edge', 1, []],
      ['filter', 0, []]
    ])
  })
})

describe('rows for which an expression failed', () => {
  const steps = [
    { op: 'derive', columns: { twice: `k || k` } },
    { op: 'derive', columns: { n: 'CAST(v AS INTEGER)' } },
    { op: 'sort', by: [{ column: 'n' }] }
  ]
  const rejectingRule = {
    rules: [{ name: 'large', when: 'CAST(v AS INTEGER) > 2', set: { size: `'large'` } }]
  }
  test.each([
    ['a transform of several steps', 'transform', { steps }],
    ['a union and what follows', 'transform', { steps: [{ op: 'union' }, ...steps] }],
    ['a rule', 'rule', rejectingRule]
  ])('at %s are led back from where they went', async (_, kind, spec) => {
    const runId = await runOf(
      documentOf(
        `Rejected by ${kind}`,
        [['in', 'source', { dataSource: 'in.csv' }], ['work', kind, spec], OUT, BAD],
        [
          ['in', 'work'],
          ['work', 'out'],
          ['work.rejected', 'bad']
        ]
      )
    )
    expect((await program.rows(runId, 'bad')).map(({ k }) => k)).toEqual(['b'])
    for (const column of ['k', '_reason']) {
      // oxlint-disable-next-line no-await-in-loop -- one engine
      const told = await cell(runId, 'bad', 0, column)
      expect(told.steps.find(({ nodeId }) => nodeId === 'work')).toMatchObject({ port: 'rejected', total: 1 })
      expect(told.steps.at(-1)).toMatchObject({ nodeId: 'in', rowNumbers: [2] })
    }
    expect(await missing(runId, 'bad', { k: 'b' })).toMatchObject({ outcome: 'there', rows: 1 })
    const other = await missing(runId, 'bad', { k: 'a' })
    expect(other.outcome).toBe('lost')
    expect(other.steps.at(-1)).toMatchObject({ nodeId: 'work', rowsIn: 1, rowsOut: 0 })
    expect(await missing(runId, 'out', { k: 'b' })).toMatchObject({ outcome: 'lost' })
  })
})

describe('a node that a run ended with', () => {
  test('keeps its ports where its rows are taken from a sink behind it', async () => {
    const work = { steps: [{ op: 'derive', columns: { n: 'CAST(v AS INTEGER) + 1' } }] }
    const { workflowId } = await program.flowforge.workflows.import(
      documentOf(
        'To here',
        [['in', 'source', { dataSource: 'in.csv' }], ['work', 'transform', work], OUT, BAD],
        [
          ['in', 'work'],
          ['work', 'out'],
          ['work.rejected', 'bad']
        ]
      )
    )
    await program.run({ workflowId })
    const { runId } = await program.run({ workflowId, until: 'work' })
    const [table] = await context.projectionStore.query({
      sql: `SELECT id FROM artifacts WHERE run_id = ? AND stats_json ->> '$.port' = 'rejected'`,
      params: [runId]
    })
    const told = await program.flowforge.explain.cell({
      artifactId: String(table?.['id']),
      row: 0,
      column: '_reason'
    })
    expect(told.steps.at(-1)).toMatchObject({ nodeId: 'in', rowNumbers: [2] })
  })
})

describe('a key', () => {
  test('whose values stood in several columns is looked for in each', async () => {
    const runId = await runOf(
      documentOf(
        'Unpivoted',
        [
          ['in', 'source', { dataSource: 'wide.csv' }],
          [
            'long',
            'transform',
            { steps: [{ op: 'unpivot', columns: ['jan', 'feb'], nameTo: 'month', valueTo: 'amount' }] }
          ],
          ['large', 'transform', { steps: [{ op: 'filter', where: 'amount > 5' }] }],
          OUT
        ],
        [
          ['in', 'long'],
          ['long', 'large'],
          ['large', 'out']
        ]
      )
    )
    expect(await missing(runId, 'out', { amount: 8 })).toMatchObject({ outcome: 'there', rows: 1 })
    const lost = await missing(runId, 'out', { amount: 3 })
    expect(lost.outcome).toBe('lost')
    expect(lost.steps.at(-1)).toMatchObject({ nodeId: 'large', lost: [{ amount: 3 }] })
    expect(await missing(runId, 'out', { amount: 4 })).toMatchObject({ outcome: 'never' })
  })

  test('of one side of a join is not that of the other, where both read the same source', async () => {
    await program.importText('staff.csv', 'name,boss\nann,bob\nbob,\n')
    const runId = await runOf(
      documentOf(
        'Bosses',
        [
          ['in', 'source', { dataSource: 'staff.csv' }],
          ['both', 'join', { type: 'inner', on: [{ left: 'boss', right: 'name' }] }],
          OUT
        ],
        [
          ['in', 'both.left'],
          ['in', 'both.right'],
          ['both', 'out']
        ]
      )
    )
    expect(await missing(runId, 'out', { name: 'ann' })).toMatchObject({ outcome: 'there', rows: 1 })
    expect(await missing(runId, 'out', { name_right: 'bob' })).toMatchObject({ outcome: 'there', rows: 1 })
    for (const key of [{ name_right: 'ann' }, { name: 'bob' }]) {
      // oxlint-disable-next-line no-await-in-loop -- one engine
      const found = await missing(runId, 'out', key)
      expect(found.outcome).toBe('lost')
      expect(found.steps.at(-1)).toMatchObject({ nodeId: 'both', rowsOut: 0, lost: [{}] })
    }
  })

  test('is not rounded, and a number is found where it is a text', async () => {
    await program.importText('texts.csv', 'id,code\n6,5\n7,x\n')
    const runId = await runOf(
      documentOf('Texts', [['in', 'source', { dataSource: 'texts.csv' }], OUT], [['in', 'out']])
    )
    expect(await missing(runId, 'out', { id: 5.5 })).toMatchObject({ outcome: 'never' })
    expect(await missing(runId, 'out', { id: '6' })).toMatchObject({ outcome: 'there' })
    expect(await missing(runId, 'out', { code: 5 })).toMatchObject({ outcome: 'there' })
  })
})

describe('a row without a partner', () => {
  test.each([
    ['left', 'right'],
    ['right', 'left']
  ])('of the %s does not come from the group without a key', async (side, other) => {
    await program.importText(`groups ${side}.csv`, 'g,v\na,1\n,2\n')
    const on = side === 'left' ? { left: 'k', right: 'g' } : { left: 'g', right: 'k' }
    const runId = await runOf(
      documentOf(
        `Groups ${side}`,
        [
          ['in', 'source', { dataSource: 'in.csv' }],
          ['groups', 'source', { dataSource: `groups ${side}.csv` }],
          ['sums', 'transform', { steps: [{ op: 'aggregate', groupBy: ['g'], columns: { s: 'sum(v)' } }] }],
          ['both', 'join', { type: 'full', on: [on] }],
          OUT
        ],
        [
          ['in', `both.${side}`],
          ['groups', 'sums'],
          ['sums', `both.${other}`],
          ['both', 'out']
        ]
      )
    )
    const rows = await program.rows(runId, 'out')
    const readFor = async (k: string | null) => {
      const { steps } = await cell(
        runId,
        'out',
        rows.findIndex((row) => row['k'] === k),
        's'
      )
      return steps.flatMap(({ nodeId, rowNumbers }) => (nodeId === 'groups' ? (rowNumbers ?? []) : []))
    }
    expect(await readFor('a')).toEqual([1])
    expect(await readFor('c')).toEqual([])
    expect(await readFor(null)).toEqual([2])
  })
})
