import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { startEngine, type Engine } from '../contract/duckdb.ts'
import { interpret } from '../contract/interpreter.ts'
import { drawCase, tableSql, type RandomCase } from '../contract/random-graph.ts'
import { toQuery } from '../query.ts'
import { quoteName } from '../sql-text.ts'
import { planExplanation, type ExplainPlan } from './explain-plan.ts'
import { followBack, followOn, type Asking, type Followed } from './follow.ts'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 40)
let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const asking = (): Asking => ({
  run: async (sql) => void engine.rows(sql),
  count: async (sql) => Number(engine.rows(sql)[0]?.['count'])
})

const explain = async (
  { graph, shapes, tables }: RandomCase,
  [until = '', port = '']: readonly string[],
  { failing = false } = {}
) => {
  const catalog = {
    find: async (name: string) => {
      const described = await engine.binder.describe(tableSql([], shapes[name] ?? {}), [])
      return described.ok ? { dataSourceId: name, name, columns: described.columns, rows: null } : undefined
    }
  }
  const answer = await planExplanation({
    graph,
    parameters: {},
    catalog,
    binder: engine.binder,
    until,
    port,
    rejecting: new Set(failing ? graph.nodes.map(({ id }) => id) : [])
  })
  if (!('plan' in answer)) throw new Error(JSON.stringify(answer.problems))
  const { plan, carried } = answer.plan
  const sources = new Set<string>()
  for (const { id, source } of plan.relations) {
    if (source === null) continue
    const sql = tableSql(tables[source.dataSourceId] ?? [], shapes[source.dataSourceId] ?? {})
    engine.rows(
      `CREATE OR REPLACE TEMP TABLE ${quoteName(id)} AS SELECT *, row_number() OVER () - 1 AS ${quoteName(carried.rowColumn)} FROM (${sql})`
    )
    sources.add(id)
  }
  return { explained: answer.plan, sources }
}

const sourceRows = ({ plan, carried }: ExplainPlan, followed: Followed): string[] =>
  plan.relations
    .flatMap(({ id, nodeId, source }) => {
      const table = source === null ? undefined : followed.table(id)
      if (table === undefined) return []
      return engine.rows(`FROM ${quoteName(table)}`).map((row) => `${nodeId}:${row[carried.rowColumn]}`)
    })
    .toSorted()

const toText = (values: Readonly<Record<string, unknown>>, names: readonly string[]): string =>
  JSON.stringify(
    names.map((name) => (typeof values[name] === 'bigint' ? Number(values[name]) : (values[name] ?? null)))
  )

/** Which row of its equals stays is nobody's promise. */
const choosesAnyRow = ({ graph }: RandomCase): boolean => JSON.stringify(graph).includes('"distinct","by"')

it('leads every row back to the source rows that a row-by-row reading knows it by', async () => {
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const failing = draw(fc.boolean)
      const drawn = drawCase(draw, { failing })
      if (choosesAnyRow(drawn)) return
      const port = draw(() => fc.constantFrom(...drawn.ports))
      const [node = '', left = ''] = port.relation.split('.')
      const { explained, sources } = await explain(drawn, [node, left], { failing })
      const { steps, plan, carried, unfolded } = explained
      const relation = `${unfolded.leaving(node, left)}.${left}`
      const columnsOf = (id: string) => {
        const [of = '', by = ''] = id.split('.')
        const carrying = `${unfolded.leaving(of, by)}.${by}`
        return steps.relations.find((each) => each.id === carrying)?.columns.map(({ name }) => name) ?? []
      }
      const names = columnsOf(port.relation)
      const expected = (
        interpret(drawn.graph, drawn.tables, drawn.meanings, columnsOf).get(port.relation) ?? []
      ).map(({ values, from }) => `${toText(values, names)} from ${[...from].toSorted().join(' ')}`)
      // Kept, so that each row stands at its place: asked for one at a time, rows that sorting ties come in any order.
      engine.rows(`CREATE OR REPLACE TEMP TABLE "_kept" AS ${toQuery(plan, relation, sources)}`)
      const rows = engine.rows('FROM "_kept" ORDER BY rowid')
      const found: string[] = []
      for (const [at, row] of rows.entries()) {
        const followed = await followBack(
          { asking: asking(), plan, carried, sources },
          relation,
          () => `SELECT * FROM "_kept" WHERE rowid = ${at}`
        )
        found.push(`${toText(row, names)} from ${sourceRows(explained, followed).join(' ')}`)
      }
      expect(found.toSorted(), JSON.stringify(drawn.graph)).toEqual(expected.toSorted())
    }),
    { numRuns: RUNS, endOnFailure: true }
  )
}, 120_000)

it('leads a source row on to every row that comes from it, and to none where it was lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const drawn = drawCase(draw)
      if (choosesAnyRow(drawn)) return
      const port = draw(() => fc.constantFrom(...drawn.ports))
      const { explained, sources } = await explain(drawn, port.relation.split('.'))
      const { steps, plan, carried } = explained
      const columnsOf = (id: string) =>
        steps.relations.find((relation) => relation.id === id)?.columns.map(({ name }) => name) ?? []
      const read = plan.relations.filter(({ source }) => source !== null)
      const source = draw(() => fc.constantFrom(...read))
      const row = draw(() => fc.nat(5))
      const starts = new Map([
        [source.id, (all: string) => `FROM ${all} WHERE ${quoteName(carried.rowColumn)} = ${row}`]
      ])
      const followed = await followOn({ asking: asking(), plan, carried, sources }, starts)
      const expected = interpret(drawn.graph, drawn.tables, drawn.meanings, columnsOf)
      for (const { relation } of drawn.ports) {
        const names = columnsOf(relation)
        if (names.length === 0) continue
        const rows = (expected.get(relation) ?? [])
          .filter(({ from }) => from.has(`${source.nodeId}:${row}`))
          .map(({ values }) => toText(values, names))
        const table = followed.table(relation)
        const found = table === undefined ? [] : engine.rows(`FROM ${quoteName(table)}`)
        expect(found.map((each) => toText(each, names)).toSorted(), relation).toEqual(rows.toSorted())
      }
    }),
    { numRuns: RUNS, endOnFailure: true }
  )
}, 120_000)
