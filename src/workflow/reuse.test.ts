import { describe, expect, it } from 'vitest'
import { withEveryCheckpoint } from './checkpoints.ts'
import type { Plan, PlannedRelation } from './plan-types.ts'
import { planReuse } from './reuse.ts'
import { fileKey, relationKeys } from './step-key.ts'

const relation = (id: string, dependsOn: readonly string[], sql: string | null): PlannedRelation => {
  const [nodeId = '', port = ''] = id.split('.')
  const source = sql === null ? { dataSourceId: nodeId, options: {} } : null
  return { id, nodeId, port, sql, source, columns: [], dependsOn }
}
const step = (nodeId: string, kind: string, inputs: string[], outputs: string[]) => ({
  nodeId,
  kind,
  inputs,
  outputs
})

/** A source feeds `a`; `a` feeds a sink and `b`; `b` feeds another sink. */
const plan: Plan = {
  relations: [
    relation('s.out', [], null),
    relation('a.out', ['s.out'], `SELECT x + getvariable('by') AS x FROM "s.out"`),
    relation('one.in', ['a.out'], 'SELECT * FROM "a.out"'),
    relation('b.out', ['a.out'], 'SELECT x AS y FROM "a.out"'),
    relation('two.in', ['b.out'], 'SELECT * FROM "b.out"')
  ],
  steps: [
    step('s', 'source', [], ['s.out']),
    step('a', 'transform', ['s.out'], ['a.out']),
    step('one', 'sink', ['a.out'], ['one.in']),
    step('b', 'transform', ['a.out'], ['b.out']),
    step('two', 'sink', ['b.out'], ['two.in'])
  ],
  sinks: [
    { nodeId: 'one', relation: 'one.in', format: 'csv', fileName: 'one.csv', keepsFormulas: false },
    { nodeId: 'two', relation: 'two.in', format: 'json', fileName: 'two.json', keepsFormulas: false }
  ],
  shared: ['a.out'],
  wanted: [],
  parameters: { by: 1, other: 2 }
}

const keysOf = (
  changed: Partial<Plan> = {},
  { engineBuild = 'e1', bytes = 'abc' }: { engineBuild?: string; bytes?: string } = {}
) =>
  relationKeys(
    { ...plan, ...changed },
    { engineBuild, fingerprint: () => bytes, hash: async (text) => `#${text}` }
  )

describe('the key of a relation', () => {
  it('changes with all that its rows depend on, and with nothing else', async () => {
    const keys = await keysOf()
    expect(await keysOf()).toEqual(keys)
    expect(await keysOf({ parameters: { by: 1, other: 3 }, sinks: [], shared: [] })).toEqual(keys)
    const others = [
      await keysOf({ parameters: { by: 2, other: 2 } }),
      await keysOf({}, { engineBuild: 'e2' }),
      await keysOf({}, { bytes: 'abd' })
    ]
    for (const other of others) expect(other.get('b.out')).not.toBe(keys.get('b.out'))
    expect(others[0]?.get('s.out')).toBe(keys.get('s.out'))
  })

  it('is that of the rows themselves where they are passed on unchanged', async () => {
    const keys = await keysOf()
    expect(keys.get('one.in')).toBe(keys.get('a.out'))
    expect(keys.get('two.in')).not.toBe(keys.get('a.out'))
  })

  it('is missing where the rows come from elsewhere, and downstream of there', async () => {
    const [first, ...rest] = plan.relations
    const relations = first === undefined ? [] : [{ ...first, source: null }, ...rest]
    expect([...(await keysOf({ relations })).keys()]).toEqual([])
  })

  it('of a file is that of its rows and of how they are written, not of its name', () => {
    const [sink] = plan.sinks
    if (sink === undefined) throw new Error('no sink')
    expect(fileKey('k', { ...sink, fileName: 'other.csv', nodeId: 'z' })).toBe(fileKey('k', sink))
    expect(fileKey('k', { ...sink, format: 'xlsx' })).not.toBe(fileKey('k', sink))
  })
})

describe('what is left of a plan', () => {
  const left = (tables: string[], files: string[]) => {
    const remaining = planReuse(plan, { tables: new Set(tables), files: new Set(files) })
    return {
      steps: remaining.plan.steps.map(({ nodeId }) => nodeId),
      relations: remaining.plan.relations.map(({ id }) => id),
      shared: remaining.plan.shared,
      loaded: remaining.loaded,
      kept: remaining.kept,
      reused: [...remaining.reused.keys()]
    }
  }

  it('is all of it where nothing is stored', () => {
    expect(left([], [])).toMatchObject({
      steps: ['s', 'a', 'one', 'b', 'two'],
      shared: ['a.out'],
      reused: []
    })
  })

  it('is nothing where every result is stored', () => {
    expect(left(['one.in', 'two.in'], ['one', 'two'])).toEqual({
      steps: [],
      relations: [],
      shared: [],
      loaded: [],
      kept: ['one.in', 'two.in'],
      reused: ['s', 'a', 'one', 'b', 'two']
    })
  })

  it('begins at the stored rows that are nearest to what is wanted', () => {
    expect(left(['a.out', 'one.in'], ['one'])).toEqual({
      steps: ['b', 'two'],
      relations: ['a.out', 'b.out', 'two.in'],
      shared: [],
      loaded: ['a.out'],
      kept: ['one.in'],
      reused: ['s', 'a', 'one']
    })
  })

  it('is a sink of its own where its rows are stored and its file is not', () => {
    expect(left(['a.out', 'one.in', 'b.out', 'two.in'], ['two'])).toMatchObject({
      steps: ['one'],
      loaded: ['a.out'],
      kept: ['two.in']
    })
  })

  it('has a table for each node’s rows where all are to be kept, but for those that only a sink reads', () => {
    expect(withEveryCheckpoint({ ...plan, shared: [] }).shared).toEqual(['a.out'])
  })
})
