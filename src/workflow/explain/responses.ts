import type { Graph, GraphNode } from '../graph.ts'
import { HttpSpec } from '../nodes/http-spec.ts'
import type { Plan } from '../plan-types.ts'
import { quoteName } from '../sql-text.ts'
import type { ExplainPlan } from './explain-plan.ts'
import type { ExplainedResponse, RecordedResponse } from './explanation.ts'
import type { Reading } from './explain-cell.ts'

/** What is on record of a node's requests, by their keys in the node. */
export type FindResponses = (
  nodeId: string,
  keys: readonly string[]
) => Promise<ReadonlyMap<string, RecordedResponse>>

const TOLD_RESPONSES = 100
const text = (name: string) => ({ name, type: 'text', engineType: 'VARCHAR' }) as const
const number = (name: string) => ({ name, type: 'number', engineType: 'DOUBLE' }) as const
const ROW = [
  text('_asked_key'),
  number('_asked_index'),
  number('_asked_status'),
  text('_asked_reason'),
  number('_asked_rows')
]

type Asked = { readonly port: string; readonly table: string; readonly names: readonly string[] }

const relationOf = ({ relations }: Plan, id: string) => relations.find((relation) => relation.id === id)

/** The marks of the rows that reached a node, by which a row that left it is the same as one that was asked for. */
const marksInto = ({ carried }: ExplainPlan, id: string): readonly string[] =>
  carried.links.get(id)?.[0]?.pairs.map(({ of }) => of) ?? []

const pointersOf = (spec: HttpSpec, names: readonly string[], index: number | null) => {
  const { columns = {}, explode } = spec.response ?? {}
  const list = explode === undefined || index === null ? '' : `${explode}/${index}`
  return Object.entries(columns).flatMap(([column, pointer]) =>
    names.includes(column) ? [{ column, pointer: `${list}${pointer}` }] : []
  )
}

/**
 * The answers that some rows of a node that asks a service come from, or were rejected for; the session has the node's
 * requests and answers as tables.
 */
export const responsesOf = async (
  {
    reading,
    explained,
    findResponses
  }: {
    readonly reading: Reading
    readonly explained: ExplainPlan
    readonly findResponses: FindResponses
  },
  node: GraphNode,
  { port, table, names }: Asked
): Promise<readonly ExplainedResponse[]> => {
  const { plan, carried } = explained
  const spec = HttpSpec.safeParse(node.spec).data
  const keyed = relationOf(plan, `${node.id}._keyed`)
  const left = relationOf(plan, `${node.id}.${port}`)
  // The key stands last, behind the row's number; see the node's relations.
  const key = keyed?.columns.at(-1)
  if (spec === undefined || keyed === undefined || left === undefined || key === undefined) return []
  const same = marksInto(explained, left.id).map(
    (mark) => `"_keyed".${quoteName(mark)} IS NOT DISTINCT FROM "_left".${quoteName(mark)}`
  )
  const mark = `${carried.prefix}${node.id}`
  const place = left.columns.find(({ name }) => name === mark || name === spec.response?.indexTo)
  const index =
    place === undefined ? 'CAST(NULL AS DOUBLE)' : `CAST("_left".${quoteName(place.name)} AS DOUBLE)`
  const answer = place === undefined ? '' : ` AND "_answers"."_index" = "_left".${quoteName(place.name)}`
  const reason = port === 'rejected' ? `"_left"."_reason"` : `"_answers"."_error"`
  const rows = await reading.rows(
    `SELECT "_keyed".${quoteName(key.name)} AS "_asked_key", ${index} AS "_asked_index", ` +
      `CAST("_answers"."_status" AS DOUBLE) AS "_asked_status", ${reason} AS "_asked_reason", count(*)::DOUBLE AS "_asked_rows" ` +
      `FROM ${quoteName(table)} AS "_left" JOIN ${quoteName(keyed.id)} AS "_keyed" ON ${same.length === 0 ? 'true' : same.join(' AND ')} ` +
      `JOIN ${quoteName(`${node.id}._answers`)} AS "_answers" ON "_answers"."_key" = "_keyed".${quoteName(key.name)}${answer} ` +
      `GROUP BY ALL ORDER BY ALL LIMIT ${TOLD_RESPONSES}`,
    ROW
  )
  const keyOf = (row: Readonly<Record<string, unknown>>): string => String(row['_asked_key'])
  const found = await findResponses(node.id, [...new Set(rows.map(keyOf))])
  return rows.map((row) => ({
    request: found.get(keyOf(row)) ?? null,
    status: typeof row['_asked_status'] === 'number' ? row['_asked_status'] : null,
    reason: typeof row['_asked_reason'] === 'string' ? row['_asked_reason'] : null,
    rows: Number(row['_asked_rows']),
    pointers: pointersOf(spec, names, typeof row['_asked_index'] === 'number' ? row['_asked_index'] : null)
  }))
}

/** The node that asks a service, where a relation is what leaves it. */
export const askingNode = ({ nodes }: Graph, nodeId: string, isEdge: boolean): GraphNode | undefined =>
  isEdge ? undefined : nodes.find(({ id, kind }) => id === nodeId && kind === 'http')
