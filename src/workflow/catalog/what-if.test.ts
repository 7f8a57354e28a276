import { beforeAll, expect, it } from 'vitest'
import { startEngine, type Engine } from '../contract/duckdb.ts'
import { toGraph } from '../document.ts'
import { planGraph } from '../plan.ts'
import { toQuery } from '../query.ts'
import type { Rule } from '../nodes/rule.ts'
import { compareRules } from './what-if.ts'

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const ORDERS = `SELECT * FROM (VALUES (1, 10), (2, 20), (3, 30), (4, NULL), (2, 20)) AS t(id, amount)`
const catalog = {
  find: async (name: string) => {
    const described = await engine.binder.describe(ORDERS, [])
    if (!described.ok) throw new Error(described.message)
    return { dataSourceId: name, name, columns: described.columns, rows: null }
  }
}
const graphWith = (rules: readonly Rule[]) =>
  toGraph({
    nodes: [
      { id: 'orders', kind: 'source', name: 'Orders', spec: { dataSource: 'orders' } },
      { id: 'now', kind: 'transform', name: 'Known', spec: { steps: [{ op: 'filter', where: 'true' }] } },
      { id: 'rate', kind: 'rule', name: 'Rate', spec: { rules } },
      { id: 'sink', kind: 'sink', name: 'S', spec: { format: 'csv', fileName: 'x.csv' } }
    ],
    edges: [
      { from: 'orders', to: 'now' },
      { from: 'now', to: 'rate' },
      { from: 'rate', to: 'sink' }
    ]
  })

const changed = async (rules: readonly Rule[], draft: readonly Rule[]) => {
  const comparison = compareRules(graphWith(rules), 'rate', draft)
  if (comparison === undefined) throw new Error('nothing to compare')
  const { plan, problems } = await planGraph({
    graph: comparison.graph,
    parameters: {},
    catalog,
    binder: engine.binder,
    until: comparison.nodeId
  })
  expect(problems).toEqual([])
  if (plan === undefined) throw new Error('no plan')
  engine.rows(`CREATE OR REPLACE TEMP TABLE "orders.out" AS ${ORDERS}`)
  return engine.rows(toQuery(plan, `${comparison.nodeId}.out`, new Set()))
}

const big = (when: string): Rule => ({ name: 'big', when, set: { size: `'big'` } })

it('finds the rows whose outcome changes, equal rows apart', async () => {
  const rows = await changed([big('amount > 25')], [big('amount > 15')])
  expect(rows.map(({ id, ...row }) => [Number(id), row['size now'], row['size with the draft']])).toEqual([
    [2, null, 'big'],
    [2, null, 'big']
  ])
  expect(await changed([big('amount > 25')], [big('amount >= 26')])).toEqual([])
})

it('tells rows apart that pass, that are rejected, and by which rule', async () => {
  const rejecting: Rule = { name: 'empty', when: 'amount IS NULL', reject: 'no amount' }
  const rows = await changed([big('amount > 25')], [big('amount > 25'), rejecting])
  expect(rows).toHaveLength(1)
  expect(rows[0]).toMatchObject({
    '_outcome now': 'passes',
    '_outcome with the draft': 'rejected',
    '_rule with the draft': 'empty',
    '_reason with the draft': 'no amount'
  })
})

it('compares columns that one side alone sets', async () => {
  const rows = await changed(
    [big('amount > 25')],
    [{ name: 'tax', when: 'id = 1', set: { tax: 'amount * 2' } }]
  )
  expect(rows.map(({ id }) => Number(id))).toEqual([1, 3])
})
