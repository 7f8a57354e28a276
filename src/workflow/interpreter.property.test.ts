import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { startEngine, type Engine } from './contract/duckdb.ts'
import { interpret, type Interpreted } from './contract/interpreter.ts'
import { drawCase, tableSql, type RandomCase } from './contract/random-graph.ts'
import type { Values } from './contract/random-expression.ts'
import { columnLineage } from './lineage/column-lineage.ts'
import { planGraph } from './plan.ts'
import type { Plan } from './plan-types.ts'
import { toQuery } from './query.ts'
import { quoteName } from './sql-text.ts'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 25)
let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const planOf = async (
  { graph, shapes }: RandomCase,
  rejecting: ReadonlySet<string> = new Set()
): Promise<Plan> => {
  const catalog = {
    find: async (name: string) => {
      const described = await engine.binder.describe(tableSql([], shapes[name] ?? {}), [])
      return described.ok ? { dataSourceId: name, name, columns: described.columns, rows: null } : undefined
    }
  }
  const { plan, problems } = await planGraph({
    graph,
    parameters: {},
    catalog,
    binder: engine.binder,
    rejecting
  })
  expect(problems).toEqual([])
  if (plan === undefined) throw new Error('There is no plan.')
  return plan
}

const provide = ({ shapes }: RandomCase, plan: Plan, tables: RandomCase['tables']): void => {
  for (const { id, source } of plan.relations) {
    if (source === null) continue
    const sql = tableSql(tables[source.dataSourceId] ?? [], shapes[source.dataSourceId] ?? {})
    engine.rows(`CREATE OR REPLACE TEMP TABLE ${quoteName(id)} AS ${sql}`)
  }
}

/** Rows as texts that can be compared: cells by name, integers of whichever width as numbers. */
const toText = (values: Readonly<Record<string, unknown>>, names: readonly string[]): string =>
  JSON.stringify(
    names.map((name) => {
      const value = values[name]
      return typeof value === 'bigint' ? Number(value) : (value ?? null)
    })
  )
const plain = (rows: readonly Readonly<Record<string, unknown>>[], names: readonly string[]): string[] =>
  rows.map((row) => toText(row, names)).toSorted()

const columnsIn = (plan: Plan, relation: string): readonly string[] =>
  plan.relations.find(({ id }) => id === relation)?.columns.map(({ name }) => name) ?? []

const rowsIn = (plan: Plan, relation: string): Record<string, unknown>[] =>
  engine.rows(toQuery(plan, relation, new Set()))

it('every port of a random graph gives the rows that a row-by-row reading gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const drawn = drawCase(draw)
      const plan = await planOf(drawn)
      provide(drawn, plan, drawn.tables)
      const expected = interpret(drawn.graph, drawn.tables, drawn.meanings, (id) => columnsIn(plan, id))
      for (const { relation, shape } of drawn.ports) {
        expect(columnsIn(plan, relation).toSorted()).toEqual(Object.keys(shape).toSorted())
        const names = columnsIn(plan, relation)
        const rows = (expected.get(relation) ?? []).map(({ values }: Interpreted): Values => values)
        expect(
          plain(rowsIn(plan, relation), names),
          `${relation} of ${JSON.stringify(drawn.graph)} over ${JSON.stringify(drawn.tables)}`
        ).toEqual(plain(rows, names))
      }
    }),
    { numRuns: RUNS, endOnFailure: true }
  )
}, 120_000)

it('rows for which an expression fails leave by `rejected`, and all others as if these had not been', async () => {
  let rejected = 0
  const property = fc.asyncProperty(fc.gen(), async (draw) => {
    const drawn = drawCase(draw, { failing: true })
    const plan = await planOf(drawn, new Set(drawn.graph.nodes.map(({ id }) => id)))
    provide(drawn, plan, drawn.tables)
    const expected = interpret(drawn.graph, drawn.tables, drawn.meanings, (id) => columnsIn(plan, id))
    for (const { relation } of drawn.ports) {
      const names = columnsIn(plan, relation)
      const rows = (expected.get(relation) ?? []).map(({ values }: Interpreted): Values => values)
      rejected += rows.filter(({ _reason }) => String(_reason).includes('cannot be computed')).length
      expect(
        plain(rowsIn(plan, relation), names),
        `${relation} of ${JSON.stringify(drawn.graph)} over ${JSON.stringify(drawn.tables)}`
      ).toEqual(plain(rows, names))
    }
  })
  // In all graphs of a round it may happen that nothing fails.
  for (let round = 0; round === 0 || (rejected === 0 && round < 20); round += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one engine
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
  }
  // Otherwise nothing has been proved.
  expect(rejected).toBeGreaterThan(0)
}, 120_000)

it('a column on which, by its lineage, a result does not depend, does not change it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const drawn = drawCase(draw)
      const plan = await planOf(drawn)
      const lineage = columnLineage(drawn.graph, plan)
      const source = draw(() => fc.constantFrom(...Object.keys(drawn.tables)))
      const column = draw(() => fc.constantFrom(...Object.keys(drawn.shapes[source] ?? {})))
      const kind = drawn.shapes[source]?.[column]
      const read = plan.relations.find((relation) => relation.source?.dataSourceId === source)?.id
      const changed = (drawn.tables[source] ?? []).map((row) => ({
        ...row,
        [column]:
          kind === 'integer'
            ? draw(() => fc.integer({ min: -2, max: 3 }))
            : draw(() => fc.constantFrom('x', 'z'))
      }))
      const free = drawn.ports.flatMap(({ relation }) => {
        const traced = lineage.get(relation)
        const depends = (origins: readonly { relation: string; column: string }[] = []): boolean =>
          origins.some((origin) => origin.relation === read && origin.column === column)
        if (traced === undefined || depends(traced.rows)) return []
        const names = traced.columns.filter(({ from }) => !depends(from)).map(({ name }) => name)
        return [{ relation, names }]
      })
      provide(drawn, plan, drawn.tables)
      const before = free.map(({ relation, names }) => plain(rowsIn(plan, relation), names))
      provide(drawn, plan, { ...drawn.tables, [source]: changed })
      const after = free.map(({ relation, names }) => plain(rowsIn(plan, relation), names))
      expect(after).toEqual(before)
    }),
    { numRuns: RUNS, endOnFailure: true }
  )
}, 120_000)
