import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { startEngine, type Engine } from './contract/duckdb.ts'
import { GraphEdge, type Graph } from './graph.ts'
import { planGraph } from './plan.ts'
import { toQuery } from './query.ts'

type Value = number | null
type Row = Readonly<Record<string, Value>>
/** An expression, and what it means for a row: NULL where a part of it is. */
type Meaning = { readonly sql: string; readonly of: (row: Row) => Value | boolean }

let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const lift =
  (column: string, compute: (value: number) => number | boolean) =>
  (row: Row): Value | boolean => {
    const value = row[column] ?? null
    return value === null ? null : compute(value)
  }
const Column = fc.constantFrom('a', 'b')
const Small = fc.integer({ min: -2, max: 2 })
const Condition: fc.Arbitrary<Meaning> = fc
  .tuple(Column, Small, fc.constantFrom('>', '=', 'is null'))
  .map(([column, limit, op]): Meaning =>
    op === 'is null'
      ? { sql: `${column} IS NULL`, of: (row) => (row[column] ?? null) === null }
      : {
          sql: `${column} ${op} ${limit}`,
          of: lift(column, (value) => (op === '>' ? value > limit : value === limit))
        }
  )
const Computed: fc.Arbitrary<Meaning> = fc
  .tuple(Column, Small)
  .map(([column, by]) => ({ sql: `${column} + ${by}`, of: lift(column, (value) => value + by) }))
const Sets = fc.dictionary(fc.constantFrom('a', 'd'), Computed, { maxKeys: 2 })
const Rule = fc.record({
  when: Condition,
  set: Sets,
  reject: fc.option(fc.constantFrom('no', 'never'), { nil: undefined })
})
const Nullable = fc.option(Small, { nil: null })
const Table = fc.array(fc.record({ a: Nullable, b: Nullable }), { maxLength: 12 })

const toValue = (value: Value | boolean): Value => (typeof value === 'boolean' ? Number(value) : value)
const setAll = (row: Row, set: Record<string, Meaning>): Row =>
  Object.fromEntries(Object.entries(set).map(([name, { of }]) => [name, toValue(of(row))]))
const sqlOf = (set: Record<string, Meaning>) =>
  Object.fromEntries(Object.entries(set).map(([name, { sql }]) => [name, sql]))

type Rules = {
  mode: 'first' | 'all'
  rules: { when: Meaning; set: Record<string, Meaning>; reject: string | undefined }[]
  otherwise: Record<string, Meaning>
}

/** What the rules make of one row, said row by row. */
const decideRow = (row: Row, { mode, rules, otherwise }: Rules): { out: Row } | { reason: string } => {
  const names = [...rules.flatMap(({ set }) => Object.keys(set)), ...Object.keys(otherwise)]
  const base: Row = { ...Object.fromEntries(names.map((name) => [name, null])), ...row }
  const matching = rules.filter(({ when }) => when.of(row) === true)
  const deciding = mode === 'first' ? matching.slice(0, 1) : matching
  const reason = deciding.find(({ reject }) => reject !== undefined)?.reject
  if (reason !== undefined) return { reason }
  if (matching.length === 0) return { out: { ...base, ...setAll(row, otherwise) } }
  return { out: deciding.reduce((result, { set }) => ({ ...result, ...setAll(row, set) }), base) }
}

const literal = (rows: readonly Row[]): string => {
  const values = rows.map(({ a, b }) => `(CAST(${a} AS INTEGER), CAST(${b} AS INTEGER))`)
  const empty = 'SELECT CAST(NULL AS INTEGER) AS a, CAST(NULL AS INTEGER) AS b WHERE false'
  return values.length === 0 ? empty : `SELECT * FROM (VALUES ${values.join(', ')}) AS t(a, b)`
}
const plain = (rows: readonly Record<string, unknown>[]): string[] =>
  rows
    .map((row) => {
      const cells = Object.entries(row).map(([name, value]) => [
        name,
        typeof value === 'bigint' ? Number(value) : value
      ])
      return JSON.stringify(cells.toSorted(([x], [y]) => String(x).localeCompare(String(y))))
    })
    .toSorted()

const edge = (from: string, to: string, rest: Partial<GraphEdge> = {}) =>
  GraphEdge.parse({ from, to, ...rest })

it('a plan gives the rows that a row-by-row reading of its graph gives', async () => {
  const Case = fc.record({
    left: Table,
    right: Table,
    where: Condition,
    derived: Computed,
    rules: fc.record({
      mode: fc.constantFrom('first' as const, 'all' as const),
      rules: fc.array(Rule, { maxLength: 3 }),
      otherwise: Sets
    })
  })
  await fc.assert(
    fc.asyncProperty(Case, async ({ left, right, where, derived, rules }) => {
      const graph: Graph = {
        parameters: {},
        nodes: [
          { id: 'l', kind: 'source', name: '', spec: { dataSource: 'left' } },
          { id: 'r', kind: 'source', name: '', spec: { dataSource: 'right' } },
          {
            id: 't',
            kind: 'transform',
            name: '',
            spec: {
              steps: [
                { op: 'filter', where: where.sql },
                { op: 'derive', columns: { c: derived.sql } }
              ]
            }
          },
          {
            id: 'u',
            kind: 'rule',
            name: '',
            spec: {
              mode: rules.mode,
              otherwise: sqlOf(rules.otherwise),
              rules: rules.rules.map(({ when, set, reject }, at) => ({
                name: `rule ${at}`,
                when: when.sql,
                set: sqlOf(set),
                ...(reject === undefined ? {} : { reject })
              }))
            }
          },
          { id: 'j', kind: 'join', name: '', spec: { type: 'left', on: [{ left: 'b', right: 'a' }] } },
          {
            id: 'g',
            kind: 'transform',
            name: '',
            spec: {
              steps: [{ op: 'aggregate', groupBy: ['b'], columns: { n: 'count(*)', most: 'max(b_right)' } }]
            }
          }
        ],
        edges: [
          edge('l', 't'),
          edge('t', 'u'),
          edge('u', 'j', { toPort: 'left' }),
          edge('r', 'j', { toPort: 'right' }),
          edge('j', 'g')
        ]
      }
      const tables: Record<string, string> = { left: literal(left), right: literal(right) }
      const catalog = {
        find: async (name: string) => {
          const described = await engine.binder.describe(tables[name] ?? '', [])
          return described.ok
            ? { dataSourceId: name, name, columns: described.columns, rows: null }
            : undefined
        }
      }
      const { plan, problems } = await planGraph({ graph, parameters: {}, catalog, binder: engine.binder })
      expect(problems).toEqual([])
      if (plan === undefined) return
      engine.rows(`CREATE OR REPLACE TEMP TABLE "l.out" AS ${tables['left']}`)
      engine.rows(`CREATE OR REPLACE TEMP TABLE "r.out" AS ${tables['right']}`)
      const found = (relation: string) => plain(engine.rows(toQuery(plan, relation, new Set())))

      const filtered = left
        .filter((row) => where.of(row) === true)
        .map((row): Row => ({ ...row, c: toValue(derived.of(row)) }))
      const decided = filtered.map((row) => ({ row, decision: decideRow(row, rules) }))
      const out = decided.flatMap(({ decision }) => ('out' in decision ? [decision.out] : []))
      const reasons = decided.flatMap(({ decision }) => ('reason' in decision ? [decision.reason] : []))
      expect(found('u.out')).toEqual(plain(out))
      const rejected = engine.rows(toQuery(plan, 'u.rejected', new Set()))
      expect(rejected.map(({ _reason }) => _reason).toSorted()).toEqual(reasons.toSorted())

      const joined = out.flatMap((row): Row[] => {
        const matches = right.filter(({ a }) => a !== null && a === row['b'])
        return (matches.length === 0 ? [{ a: null, b: null }] : matches).map(({ b }) => ({
          ...row,
          b_right: b
        }))
      })
      const keys = [...new Set(joined.map((row) => row['b'] ?? null))]
      const grouped = keys.map((b) => {
        const rows = joined.filter((row) => (row['b'] ?? null) === b)
        const values = rows.map((row) => row['b_right']).filter((value) => typeof value === 'number')
        return { b, n: rows.length, most: values.length === 0 ? null : Math.max(...values) }
      })
      expect(found('g.out')).toEqual(plain(grouped))
    }),
    { numRuns: 40 }
  )
}, 60_000)
