import { findColumn, nameList, quoteName } from '../sql-text.ts'
import { stepLineage } from '../lineage/column-lineage.ts'
import { findTraced } from '../lineage/traced.ts'
import type { Plan } from '../plan-types.ts'
import type { Column } from '../value-type.ts'
import { carriedId, isPresenceMark } from './carried.ts'
import type { ExplainPlan } from './explain-plan.ts'
import type { CellExplanation, ExplainedStep } from './explanation.ts'
import { followBack, type Asking } from './follow.ts'
import { askingNode, responsesOf, type FindResponses } from './responses.ts'
import { rulesThatDecided } from './rules-that-decided.ts'
import { describeRelation, edgeOf, textsAbout } from './step-words.ts'

/** How many rows of a step are told. */
export const TOLD_ROWS = 100

type Row = Readonly<Record<string, unknown>>
export type Reading = Asking & {
  /** A query's rows as values for a person: exact integers, dates as text. */
  readonly rows: (sql: string, columns: readonly Column[]) => Promise<readonly Row[]>
  /** What the engine says where a query cannot be computed; null where it can. */
  readonly failure: (sql: string) => Promise<string | null>
}
export type ExplainParts = {
  readonly reading: Reading
  readonly explained: ExplainPlan
  readonly sources: ReadonlySet<string>
  readonly findResponses: FindResponses
}

/** For each relation on the way, the columns whose values are in a column's values, or choose among them. */
const columnsOnTheWay = (
  { unfolded, steps }: ExplainPlan,
  relation: string,
  column: string
): ReadonlyMap<string, ReadonlySet<string>> => {
  const lineage = stepLineage(unfolded.graph, steps)
  const needed = new Map([[relation, new Set([column])]])
  for (const { id } of steps.relations.toReversed()) {
    const traced = lineage.get(id)
    for (const name of needed.get(id) ?? []) {
      for (const origin of traced === undefined ? [] : (findTraced(traced, name)?.from ?? [])) {
        if (origin.relation === id) continue
        needed.set(origin.relation, (needed.get(origin.relation) ?? new Set<string>()).add(origin.column))
      }
    }
  }
  return needed
}

const tell = async (
  parts: ExplainParts,
  relation: Plan['relations'][number],
  {
    table,
    total,
    inputTable,
    names
  }: { table: string; total: number; inputTable: string | undefined; names: ReadonlySet<string> }
): Promise<ExplainedStep | undefined> => {
  const { reading, explained } = parts
  const { unfolded, carried, steps } = explained
  const described = describeRelation(unfolded, relation)
  if (described === undefined) return undefined
  const columns = relation.columns.filter(({ name }) => names.has(name))
  const isSource = relation.source !== null
  const number: Column = { name: carried.rowColumn, type: 'integer', engineType: 'BIGINT' }
  const asked = isSource ? [...columns, number] : columns
  const list = asked.length === 0 ? 'NULL AS "_none"' : nameList(asked.map(({ name }) => name))
  const order = isSource ? ` ORDER BY ${quoteName(carried.rowColumn)}` : ''
  const rows =
    asked.length === 0
      ? []
      : await reading.rows(`SELECT ${list} FROM ${quoteName(table)}${order} LIMIT ${TOLD_ROWS}`, asked)
  const node = unfolded.graph.nodes.find(({ id }) => id === relation.nodeId)
  const isEdge = edgeOf(unfolded.graph, relation.id) !== undefined
  const isRule = node?.kind === 'rule' && !isEdge
  const isTried = steps.steps.some(({ nodeId, failed }) => nodeId === relation.nodeId && failed !== undefined)
  const asking = askingNode(unfolded.graph, relation.nodeId, isEdge)
  const links = carried.links.get(carriedId(carried, relation.id)) ?? []
  return {
    ...described.place,
    texts: textsAbout(described.texts, [...names]),
    rules:
      isRule && inputTable !== undefined
        ? await rulesThatDecided(reading, unfolded.graph, node, inputTable, isTried)
        : [],
    responses:
      asking === undefined
        ? []
        : await responsesOf(parts, asking, { port: relation.port, table, names: [...names] }),
    columns: columns.map(({ name, type }) => ({ name, type })),
    total,
    rows: rows.map((row) => Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null]))),
    rowNumbers: isSource ? rows.map((row) => Number(row[carried.rowColumn]) + 1) : null,
    isUnknown: links.some(({ kind }) => kind === 'unknown')
  }
}

/**
 * Explains one value of a relation: every step from it back to the sources, with the rows that it comes from. `start`
 * makes of the relation's rows the one that is asked about.
 * @throws Error where the relation has no such column
 */
export const explainCell = async (
  parts: ExplainParts,
  { relation, column, start }: { relation: string; column: string; start: (rows: string) => string }
): Promise<CellExplanation> => {
  const { reading, explained, sources } = parts
  const { carried, plan, steps } = explained
  const target = steps.relations.find(({ id }) => id === relation)
  const asked = target === undefined ? undefined : findColumn(target.columns, column)
  if (asked === undefined) throw new Error(`The relation "${relation}" has no column "${column}".`)
  const followed = await followBack({ asking: reading, plan, carried, sources }, relation, start)
  const needed = columnsOnTheWay(explained, relation, asked.name)
  const told: ExplainedStep[] = []
  for (const each of steps.relations.toReversed()) {
    const own = carriedId(carried, each.id)
    const table = followed.table(own)
    if (table === undefined) continue
    const input = carried.links.get(own)?.[0]?.input
    // oxlint-disable-next-line no-await-in-loop -- one session answers one question at a time
    const step = await tell(parts, each, {
      table,
      total: followed.count(own),
      inputTable: input === undefined ? undefined : followed.table(input),
      names: needed.get(each.id) ?? new Set()
    })
    if (step !== undefined) told.push(step)
  }
  return { steps: told }
}

/** Numbers that a row's marks have, by the marks' names; where all marks are told, they are of one row alone. */
export type MarkedRow = { readonly numbers: ReadonlyMap<string, number>; readonly isAlone: boolean }

/**
 * What is on record of a row's marks, as the rows of an explanation's relation have them: `kept` are the marks' names
 * without prefix. Undefined where nothing is known.
 */
export const toMarkedRow = (
  { plan, carried: { prefix } }: Pick<ExplainPlan, 'plan' | 'carried'>,
  relation: string,
  kept: readonly string[],
  numbers: readonly (number | null)[]
): MarkedRow | undefined => {
  const { columns = [] } = plan.relations.find(({ id }) => id === relation) ?? {}
  const marks = columns
    .map(({ name }) => name)
    .filter((name) => name.startsWith(prefix) && !isPresenceMark(name))
  const known = new Map(
    kept.flatMap((name, at): [string, number][] => {
      const number = numbers[at] ?? null
      return number === null || !marks.includes(prefix + name) ? [] : [[prefix + name, number]]
    })
  )
  return known.size === 0 ? undefined : { numbers: known, isAlone: known.size === marks.length }
}

/**
 * The row of a relation that equals the one row of the table `asked`, and of several the one at its own place or next to
 * it: without marks, equal rows are told apart by nothing else. Values are compared as text, which differs where they do.
 */
export const rowLike =
  (columns: readonly Column[], asked: string, at: number, prefix: string, marked?: MarkedRow) =>
  (rows: string): string => {
    const place = quoteName(`${prefix}place`)
    // Without its extension the engine has no text for a zoned timestamp.
    const compared = columns.filter(({ engineType }) => engineType !== 'TIMESTAMP WITH TIME ZONE')
    const conditions = [
      ...[...(marked?.numbers ?? [])].map(([mark, number]) => `"_row".${quoteName(mark)} = ${number}`),
      ...compared.map(
        ({ name }) =>
          `CAST("_row".${quoteName(name)} AS VARCHAR) IS NOT DISTINCT FROM CAST("_like".${quoteName(name)} AS VARCHAR)`
      )
    ]
    const where = conditions.length === 0 ? 'true' : conditions.join(' AND ')
    const like = `${quoteName(asked)} AS "_like" WHERE ${where}`
    if (marked?.isAlone === true) return `SELECT "_row".* FROM ${rows} AS "_row", ${like} LIMIT 1`
    return (
      `SELECT "_row".* FROM (SELECT *, row_number() OVER () - 1 AS ${place} FROM ${rows}) AS "_row", ` +
      `${like} ORDER BY abs(${place} - ${at}), ${place} LIMIT 1`
    )
  }
