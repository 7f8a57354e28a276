import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { startEngine, type Engine } from '../../workflow/contract/duckdb.ts'
import { interpret } from '../../workflow/contract/interpreter.ts'
import { drawCase, tableSql, type RandomCase } from '../../workflow/contract/random-graph.ts'
import type { Graph } from '../../workflow/graph.ts'
import { TransformSpec } from '../../workflow/nodes/transform-spec.ts'
import { planGraph, type PlanArguments } from '../../workflow/plan.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import { toQuery } from '../../workflow/query.ts'
import { planRowIds, type RowIdPlan } from '../../workflow/row-ids/plan-row-ids.ts'
import { rowIdsAt } from '../../workflow/row-ids/row-id-file.ts'
import { quoteName } from '../../workflow/sql-text.ts'
import { toPieces } from './arrow-pieces.ts'
import { toArrowQuery } from './duckdb-types.ts'
import { streamWithoutMarks } from './row-id-writing.ts'
import { keepMarked, markedRows, numberSource, type RunRowIds } from './row-ids.ts'

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 25)
let engine: Engine
beforeAll(async () => {
  engine = await startEngine()
}, 60_000)

const session = {
  rows: async (sql: string) => engine.rows(sql),
  runShort: async (sql: string) => void engine.rows(sql),
  stream: async function* (sql: string) {
    yield* engine.messages(sql)
  }
}

type SourceSql = (name: string) => string

const planBoth = async (graph: Graph, sourceSql: SourceSql, isTried = false) => {
  const args: PlanArguments = {
    graph,
    parameters: {},
    binder: engine.binder,
    ...(isTried ? { rejecting: new Set(graph.nodes.map(({ id }) => id)) } : {}),
    catalog: {
      find: async (name) => {
        const described = await engine.binder.describe(sourceSql(name), [])
        return described.ok ? { dataSourceId: name, name, columns: described.columns, rows: null } : undefined
      }
    }
  }
  const { plan, problems } = await planGraph(args)
  if (plan === undefined) throw new Error(JSON.stringify(problems))
  const answer = await planRowIds(args, plan)
  if (!('rowIds' in answer)) throw new Error(JSON.stringify(answer.problems))
  return { plan, rowIds: answer.rowIds }
}

/** Every name that a session of the engine has; here one connection does the work of many. */
const forget = (plan: Plan): void => {
  for (const { id } of plan.relations) {
    for (const name of [id, `_marked ${id}`]) {
      for (const kind of ['VIEW', 'TABLE']) {
        const found = engine.rows(
          kind === 'VIEW'
            ? `SELECT 1 FROM duckdb_views() WHERE view_name = '${name.replaceAll("'", "''")}'`
            : `SELECT 1 FROM duckdb_tables() WHERE table_name = '${name.replaceAll("'", "''")}'`
        )
        if (found.length > 0) engine.rows(`DROP ${kind} ${quoteName(name)}`)
      }
    }
  }
}

/** A run as far as it is looked at here: its sources stand there, and what it shares is kept. */
const begin = async (plan: Plan, sourceSql: SourceSql, rowIdPlan?: RowIdPlan) => {
  forget(plan)
  const rowIds: RunRowIds | undefined = rowIdPlan && { plan: rowIdPlan, standsAs: new Map() }
  const tables = new Set<string>()
  let notKept = 0
  const listener = { log: async () => void (notKept += 1) }
  const run = { place: { session }, plan, tables, rowIds, listener }
  for (const { id, source } of plan.relations) {
    if (source === null) continue
    const base = quoteName(`base ${id}`)
    engine.rows(`CREATE OR REPLACE TEMP TABLE ${base} AS ${sourceSql(source.dataSourceId)}`)
    engine.rows(`CREATE TEMP VIEW ${quoteName(id)} AS FROM ${base}`)
    if (rowIds !== undefined) await numberSource(session, rowIds, id, { rows: base, rowNumber: 'rowid' })
    tables.add(id)
  }
  for (const id of plan.shared) {
    const { columns = [] } = plan.relations.find((relation) => relation.id === id) ?? {}
    await keepMarked(run, { id, columns }, 1e9, async (name, query) => {
      engine.rows(`CREATE TEMP TABLE ${quoteName(name)} AS ${query} LIMIT 1000000001`)
      return 0
    })
    tables.add(id)
  }
  return { run, notKept: () => notKept }
}

type Run = Awaited<ReturnType<typeof begin>>['run']

/** The bytes of a relation's artifact, and of what is kept beside it. */
const written = async (run: Run, relationId: string) => {
  const { columns = [] } = run.plan.relations.find(({ id }) => id === relationId) ?? {}
  const marked = await markedRows(run, relationId, columns)
  const side: Uint8Array[] = []
  const store = async (stream: ReadableStream<Uint8Array>) => {
    for await (const part of stream) side.push(part)
    return { key: '', size: 0, sha256: '', isNew: true }
  }
  const answer =
    marked === undefined
      ? {
          batches: session.stream(toArrowQuery(toQuery(run.plan, relationId, run.tables), columns)),
          stored: null
        }
      : await streamWithoutMarks(session, { query: marked.query, columns, marks: marked.marks.length }, store)
  const hash = createHash('sha256')
  const pieces = toPieces(answer.batches)
  for await (const bytes of pieces.stream) hash.update(bytes)
  await answer.stored
  const names = marked?.marks.map((mark) => mark.slice(run.rowIds?.plan.prefix.length)) ?? []
  return { sha256: hash.digest('hex'), rows: pieces.rows(), marks: names, file: Buffer.concat(side) }
}

it('what is written has the same bytes with row ids and without', async () => {
  let [compared, kept] = [0, 0]
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const isTried = draw(fc.boolean)
      const drawn = drawCase(draw, { failing: isTried })
      const times = draw(() =>
        fc.record({ left: fc.constantFrom(1, 7, 60), right: fc.constantFrom(1, 7, 60) })
      )
      const sourceSql: SourceSql = (name) =>
        `SELECT t.* FROM (${tableSql(drawn.tables[name] ?? [], drawn.shapes[name] ?? {})}) t, range(${name === 'left' ? times.left : times.right})`
      const { plan, rowIds } = await planBoth(drawn.graph, sourceSql, isTried)
      const off = (await begin(plan, sourceSql)).run
      const size = (id: string): number =>
        Number(engine.rows(`SELECT count(*)::DOUBLE AS n FROM (${toQuery(plan, id, off.tables)})`)[0]?.['n'])
      const ids = plan.relations.map(({ id }) => id).filter((id) => size(id) <= 50_000)
      const hashes: Record<string, string> = {}
      for (const id of ids) hashes[id] = (await written(off, id)).sha256
      const { run: on } = await begin(plan, sourceSql, rowIds)
      for (const id of ids) {
        const { sha256, marks } = await written(on, id)
        expect(sha256, `${id} of ${JSON.stringify(drawn.graph)}`).toBe(hashes[id])
        if (!rowIds.marks.has(id)) continue
        compared += 1
        if (marks.length > 0) kept += 1
      }
    }),
    { numRuns: RUNS, endOnFailure: true }
  )
  // Otherwise nothing has been looked at, or nothing kept.
  expect(kept).toBeGreaterThan(compared * 0.8)
}, 300_000)

/** The source that a mark of a row speaks of: back over the edges, as the mark's name leads. */
const sourceOf = (
  { nodes, edges }: Graph,
  nodeId: string,
  name: string,
  numbers: ReadonlyMap<string, number | null>
): string | undefined => {
  const node = nodes.find(({ id }) => id === nodeId)
  const incoming = edges.filter(({ to }) => to === nodeId)
  const on = (at: number, rest = name, of = numbers): string | undefined => {
    const edge = incoming[at]
    return edge && sourceOf({ nodes, edges, parameters: {} }, edge.from, rest, of)
  }
  if (node?.kind === 'source') return name === 'row' ? nodeId : undefined
  if (node?.kind === 'join') {
    const prefix = `${nodeId}:`
    const isRight = name.startsWith(prefix)
    const side = incoming.findIndex(({ toPort }) => toPort === (isRight ? 'right' : 'left'))
    if (!isRight) return on(side)
    const within = [...numbers].filter(([mark]) => mark.startsWith(prefix))
    return on(
      side,
      name.slice(prefix.length),
      new Map(within.map(([mark, n]) => [mark.slice(prefix.length), n]))
    )
  }
  const steps = node?.kind === 'transform' ? TransformSpec.parse(node.spec).steps : []
  if (steps[0]?.op !== 'union') return on(0)
  const which = steps.length === 1 ? nodeId : `${nodeId}/0`
  return name === which ? undefined : on(numbers.get(which) ?? -1)
}

/** Behind such a step nothing is kept, or which row of its equals stays is nobody's promise. */
const losesRows = ({ graph }: RandomCase): boolean =>
  /"(aggregate|distinct|pivot)"|"all":false/.test(JSON.stringify(graph))

const toText = (values: Readonly<Record<string, unknown>>, names: readonly string[]): string =>
  JSON.stringify(
    names.map((name) => (typeof values[name] === 'bigint' ? Number(values[name]) : (values[name] ?? null)))
  )

it('keeps of each row the source rows that a row-by-row reading knows it by', async () => {
  let compared = 0
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (draw) => {
      const drawn = drawCase(draw)
      if (losesRows(drawn)) return
      const sourceSql: SourceSql = (name) => tableSql(drawn.tables[name] ?? [], drawn.shapes[name] ?? {})
      const { plan, rowIds } = await planBoth(drawn.graph, sourceSql)
      const { run } = await begin(plan, sourceSql, rowIds)
      const columnsOf = (id: string) =>
        plan.relations.find((relation) => relation.id === id)?.columns.map(({ name }) => name) ?? []
      const interpreted = interpret(drawn.graph, drawn.tables, drawn.meanings, columnsOf)
      for (const { relation } of drawn.ports) {
        const { marks, file, rows } = await written(run, relation)
        if (marks.length === 0) continue
        const names = columnsOf(relation)
        const values = engine.rows(toQuery(plan, relation, run.tables))
        const found: string[] = []
        for (let at = 0; at < rows; at += 1) {
          const numbers = await rowIdsAt(async (from, to) => file.subarray(from, to), file.length, at)
          const byMark = new Map(marks.map((mark, index) => [mark, numbers[index] ?? null]))
          const from = [...byMark].flatMap(([mark, number]) => {
            const source =
              number === null ? undefined : sourceOf(drawn.graph, relation.split('.')[0] ?? '', mark, byMark)
            return source === undefined ? [] : [`${source}:${number}`]
          })
          found.push(`${toText(values[at] ?? {}, names)} from ${[...new Set(from)].toSorted().join(' ')}`)
        }
        const expected = (interpreted.get(relation) ?? []).map(
          ({ values: cells, from }) => `${toText(cells, names)} from ${[...from].toSorted().join(' ')}`
        )
        expect(found.toSorted(), `${relation} of ${JSON.stringify(drawn.graph)}`).toEqual(expected.toSorted())
        compared += rows
      }
    }),
    { numRuns: RUNS * 3, endOnFailure: true }
  )
  expect(compared).toBeGreaterThan(0)
}, 300_000)
