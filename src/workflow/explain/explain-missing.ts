import { stepLineage } from '../lineage/column-lineage.ts'
import type { Plan } from '../plan-types.ts'
import { nameList, quoteName } from '../sql-text.ts'
import { carriedId, originalId, type Link } from './carried.ts'
import type { ExplainParts } from './explain-cell.ts'
import type { ExplainPlan } from './explain-plan.ts'
import type { FollowedStep, MissingExplanation } from './explanation.ts'
import { failuresOf } from './failures.ts'
import { followOn, linkedSql, type Followed } from './follow.ts'
import { askingNode, responsesOf } from './responses.ts'
import { rulesThatDecided } from './rules-that-decided.ts'
import { findKey, hasKey, type Sought } from './sought.ts'
import { describeRelation, edgeOf } from './step-words.ts'

const TOLD_LOST = 10
type Relation = Plan['relations'][number]

/** Rows of an input that led to no row of the relation. */
const lostRows = (link: Link, input: string, output: string | undefined): string => {
  const gone =
    output === undefined
      ? 'true'
      : `NOT EXISTS (SELECT 1 FROM ${quoteName(output)} AS "_out" WHERE ${linkedSql(link, '"_out"', '"_in"')})`
  return `FROM ${quoteName(input)} AS "_in" WHERE ${gone}`
}

const tellStep = async (
  parts: ExplainParts,
  followed: Followed,
  relation: Relation,
  looksAt: readonly string[]
): Promise<FollowedStep | undefined> => {
  const { reading, explained } = parts
  const { unfolded, carried, steps } = explained
  const described = describeRelation(unfolded, relation)
  const own = carriedId(carried, relation.id)
  const links = (carried.links.get(own) ?? []).filter(({ input }) => followed.count(input) > 0)
  const [link] = links
  if (described === undefined || link === undefined) return undefined
  const before = originalId(carried, link.input, (id) => steps.relations.some((each) => each.id === id))
  const input = steps.relations.find(({ id }) => id === before)
  const inputTable = followed.table(link.input)
  if (input === undefined || inputTable === undefined) return undefined
  const columns = input.columns.filter(({ name }) => looksAt.includes(name))
  const shown = columns.length > 0 ? columns : input.columns.slice(0, 8)
  const lost = await reading.rows(
    `SELECT ${nameList(shown.map(({ name }) => name))} ${lostRows(link, inputTable, followed.table(own))} LIMIT ${TOLD_LOST}`,
    shown
  )
  const node = unfolded.graph.nodes.find(({ id }) => id === relation.nodeId)
  const isEdge = edgeOf(unfolded.graph, relation.id) !== undefined
  const planned = isEdge ? undefined : steps.steps.find(({ nodeId }) => nodeId === relation.nodeId)
  const isTried = planned?.failed !== undefined
  const otherOutputs = (planned?.outputs ?? []).filter((id) => id !== relation.id)
  const isRule = node?.kind === 'rule' && !isEdge
  const rules = isRule ? await rulesThatDecided(reading, unfolded.graph, node, inputTable, isTried) : []
  const asking = askingNode(unfolded.graph, relation.nodeId, isEdge)
  const rejected = followed.table(`${relation.nodeId}.rejected`)
  return {
    ...described.place,
    texts: described.texts,
    rules: rules.filter(({ reject }) => reject !== null),
    failures:
      isTried && node !== undefined ? await failuresOf(reading, unfolded.graph, node, inputTable) : [],
    responses:
      asking === undefined || rejected === undefined
        ? []
        : await responsesOf(parts, asking, { port: 'rejected', table: rejected, names: [] }),
    rowsIn: links.reduce((sum, each) => sum + followed.count(each.input), 0),
    rowsOut: followed.count(own),
    elsewhere: steps.relations
      .filter(({ id }) => otherOutputs.includes(id) && followed.count(id) > 0)
      .map(({ id, port }) => ({ port, rows: followed.count(id) })),
    columns: shown.map(({ name, type }) => ({ name, type })),
    lost
  }
}

/** Relations by which rows can reach the target, and it. */
const leadingTo = ({ carried }: ExplainPlan, target: string): ReadonlySet<string> => {
  const found = new Set([target])
  for (const id of found) for (const { input } of carried.links.get(id) ?? []) found.add(input)
  return found
}

/**
 * Follows the rows of the sources that have a key on to a relation, and says where they were lost. The key's values are
 * variables of the session (`keyVariable`). `refused`, for a person: the key cannot be looked for.
 */
export const explainMissing = async (
  parts: ExplainParts,
  { target, keys }: { readonly target: string; readonly keys: readonly string[] }
): Promise<MissingExplanation | { readonly refused: string }> => {
  const { reading, explained, sources } = parts
  const { carried, plan, steps, unfolded } = explained
  const sought = findKey(explained, target, keys)
  if (typeof sought === 'string') return { refused: sought }
  const conditions = (of: Sought['sources']): ReadonlyMap<string, string> =>
    new Map(
      steps.relations.flatMap(({ id, columns }) => {
        const wanted = of.get(id)
        return wanted === undefined ? [] : [[carriedId(carried, id), hasKey(columns, wanted)] as const]
      })
    )
  const starts = new Map(
    [...conditions(sought.sources)].map(([id, condition]) => [
      id,
      (rows: string) => `SELECT * FROM ${rows} AS "_row" WHERE ${condition}`
    ])
  )
  const followed = await followOn(
    { asking: reading, plan, carried, sources },
    starts,
    conditions(sought.onTheWay)
  )
  const found = [...starts.keys()].map((id) => {
    const nodeId = steps.relations.find((relation) => relation.id === id)?.nodeId ?? ''
    const name = unfolded.graph.nodes.find((node) => node.id === nodeId)?.name ?? nodeId
    return { nodeId, name, rows: followed.count(id) }
  })
  const way = leadingTo(explained, target)
  const looksAt = stepLineage(unfolded.graph, steps)
  const told: FollowedStep[] = []
  let isUnknown = false
  for (const relation of steps.relations) {
    const own = carriedId(carried, relation.id)
    if (!way.has(own)) continue
    const links = carried.links.get(own) ?? []
    if (links.some(({ input, kind }) => kind === 'unknown' && followed.count(input) > 0)) isUnknown = true
    const names = (looksAt.get(relation.id)?.rows ?? []).map(({ column }) => column)
    // oxlint-disable-next-line no-await-in-loop -- one session answers one question at a time
    const step = await tellStep(parts, followed, relation, names)
    if (step !== undefined) told.push(step)
  }
  const rows = followed.count(target)
  const isThere = rows > 0
  const isNowhere = found.every((source) => source.rows === 0)
  return {
    outcome: isThere ? 'there' : isNowhere ? 'never' : isUnknown ? 'unknown' : 'lost',
    rows,
    sources: found,
    steps: isThere
      ? told
      : told.slice(0, told.findLastIndex(({ rowsIn, rowsOut }) => rowsIn > 0 && rowsOut === 0) + 1)
  }
}
