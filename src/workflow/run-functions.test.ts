import { beforeAll, describe, expect, it } from 'vitest'
import { startEngine, type Engine } from './contract/duckdb.ts'
import { inspectExpression, rewriteParameters } from './expression.ts'
import type { Graph } from './graph.ts'
import { planGraph } from './plan.ts'
import type { Plan } from './plan-types.ts'
import { inspectQuery } from './query-gate.ts'
import { toQuery } from './query.ts'
import { runVariables, type RunMoment } from './run-functions.ts'
import { quoteName, quoteText } from './sql-text.ts'
import { relationKeys } from './step-key.ts'

const MOMENT: RunMoment = { clock: '2026-11-24T23:30:15.250Z', seed: 'seed-1' }

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const setMoment = (moment: RunMoment): void => {
  for (const [name, value] of Object.entries(runVariables(moment))) {
    engine.rows(`SET VARIABLE ${quoteName(name)} = ${quoteText(String(value))}`)
  }
}
const valueOf = (expression: string, over = '(SELECT 1 AS id)'): unknown[] =>
  engine.rows(`SELECT ${rewriteParameters(expression, {})} AS v FROM ${over} AS t`).map(({ v }) => v)

describe("a run's functions", () => {
  it('say the clock of the run, in UTC, each with its type', () => {
    setMoment(MOMENT)
    expect(valueOf('CAST(run_time() AS VARCHAR)')).toEqual(['2026-11-24 23:30:15.25'])
    expect(valueOf('CAST(run_date() AS VARCHAR)')).toEqual(['2026-11-24'])
    expect(valueOf('typeof(RUN_TIME ( ))')).toEqual(['TIMESTAMP'])
    expect(valueOf('typeof("run_date"())')).toEqual(['DATE'])
    expect(valueOf('typeof(run_random(id))')).toEqual(['DOUBLE'])
  })

  it('give each key a number in [0,1) by the seed, whatever stands before it', () => {
    setMoment(MOMENT)
    const forwards = '(SELECT range AS id FROM range(2000))'
    const backwards = '(SELECT range AS id FROM range(1999, -1, -1))'
    const numbers = valueOf('run_random(id)', forwards).map(Number)
    expect(valueOf('run_random(id)', backwards).map(Number).toReversed()).toEqual(numbers)
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true)
    expect(new Set(numbers).size).toBe(2000)
    const tenths = Array.from(
      { length: 10 },
      (_, tenth) => numbers.filter((number) => Math.floor(number * 10) === tenth).length
    )
    expect(Math.min(...tenths)).toBeGreaterThan(140)
    expect(Math.max(...tenths)).toBeLessThan(260)
    setMoment({ ...MOMENT, seed: 'seed-2' })
    expect(valueOf('run_random(id)', forwards).map(Number)).not.toEqual(numbers)
    expect(valueOf('run_random(NULL)')).toEqual([null])
  })

  it('has a number that a later build must give, too', () => {
    setMoment(MOMENT)
    expect(valueOf(`run_random('a')`)).toEqual([0.5734458473861992])
  })

  it('stand inside one another and beside anything else', () => {
    setMoment(MOMENT)
    const [inner] = valueOf('run_random(7)')
    expect(valueOf(`run_random(run_random((7)))`)).toEqual(valueOf(`run_random(${String(inner)}::DOUBLE)`))
    expect(valueOf(`concat('run_time()', run_date(), "id")`)).toEqual(['run_time()2026-11-241'])
    expect(valueOf("date_diff('hour', run_date()::TIMESTAMP, run_time()) + id")).toEqual([24n])
  })
})

describe('the gates', () => {
  it.each([
    'run_time()',
    'run_date() - 3',
    'run_random(a || b)',
    '"run_random"(a)',
    'round(run_random(if(a, b, c)), 2)'
  ])('let %s through everywhere', (text) => {
    expect(inspectExpression(text, 'scalar')).toEqual({ ok: true, parameters: [] })
    expect(inspectExpression(`max(${text})`, 'aggregate').ok).toBe(true)
    expect(inspectQuery(`SELECT ${text} AS x FROM input`).ok).toBe(true)
  })

  it.each([
    ['run_time(1)', 'nothing between its brackets'],
    ['run_date(a, b)', 'nothing between its brackets'],
    ['run_random()', 'takes one value'],
    ['run_random(a, b)', 'takes one value'],
    ['a.run_random(b)', 'cannot follow a dot']
  ])('refuse %s', (text, words) => {
    for (const inspected of [
      inspectExpression(text, 'scalar'),
      inspectExpression(text, 'aggregate'),
      inspectQuery(`SELECT ${text} AS x FROM input`)
    ]) {
      expect(inspected.ok).toBe(false)
      expect(inspected).toHaveProperty('message', expect.stringContaining(words))
    }
  })

  it('let nobody name the variables, nor read from the functions as from a table', () => {
    expect(inspectExpression(`getvariable('run.seed')`, 'scalar').ok).toBe(false)
    expect(inspectQuery('SELECT * FROM run_time()').ok).toBe(false)
    expect(inspectExpression('run_tim()', 'scalar')).toHaveProperty(
      'message',
      expect.stringContaining('run_time')
    )
  })
})

const planOf = async (where: string, moment: RunMoment): Promise<Plan> => {
  const graph: Graph = {
    parameters: { run_time: { type: 'text' } },
    nodes: [
      { id: 's', kind: 'source', name: '', spec: { dataSource: 's' } },
      { id: 't', kind: 'transform', name: '', spec: { steps: [{ op: 'derive', columns: { x: where } }] } },
      { id: 'u', kind: 'transform', name: '', spec: { steps: [{ op: 'derive', columns: { y: 'id + 1' } }] } }
    ],
    edges: [
      { from: 's', fromPort: 'out', to: 't', toPort: 'in' },
      { from: 's', fromPort: 'out', to: 'u', toPort: 'in' }
    ]
  }
  const columns = [{ name: 'id', engineType: 'BIGINT', type: 'integer' as const }]
  const { plan, problems } = await planGraph({
    graph,
    parameters: { run_time: "the user's", ...runVariables(moment) },
    catalog: { find: async (name) => ({ dataSourceId: name, name, columns, rows: null }) },
    binder: engine.binder
  })
  expect(problems).toEqual([])
  if (plan === undefined) throw new Error('There is no plan.')
  return plan
}

describe('a plan', () => {
  it("binds what it uses, and keeps a parameter of the workflow's beside it", async () => {
    const plan = await planOf(`concat($run_time, run_time())`, MOMENT)
    expect(plan.parameters).toEqual({ run_time: "the user's", 'run.time': MOMENT.clock })
    expect(toQuery(plan, 't.out', new Set())).not.toContain('2026')
    expect((await planOf('run_random(id)', MOMENT)).parameters).toEqual({ 'run.seed': MOMENT.seed })
    expect((await planOf('id', MOMENT)).parameters).toEqual({})
  })

  it.each([
    ['run_time()', { clock: '2026-11-24T23:59:59.000Z' }, true],
    ['run_date()', { clock: '2026-11-24T23:59:59.000Z' }, false],
    ['run_date()', { clock: '2026-11-25T00:00:00.000Z' }, true],
    ['run_random(id)', { clock: '2027-01-01T00:00:00.000Z' }, false],
    ['run_random(id)', { seed: 'another' }, true],
    ['id * 2', { clock: '2027-01-01T00:00:00.000Z', seed: 'another' }, false]
  ])('of %s has, at %o, another key: %s', async (expression, changed, differs) => {
    const keysAt = async (moment: RunMoment) =>
      relationKeys(await planOf(expression, moment), {
        engineBuild: 'e',
        fingerprint: () => 'f',
        hash: async (text) => text
      })
    const before = await keysAt(MOMENT)
    const after = await keysAt({ ...MOMENT, ...changed })
    expect(before.get('t.out')).toBeDefined()
    expect(after.get('t.out') !== before.get('t.out')).toBe(differs)
    expect(after.get('u.out')).toBe(before.get('u.out'))
  })
})
