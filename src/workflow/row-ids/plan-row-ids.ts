import { numberedCatalog } from '../explain/numbered-catalog.ts'
import { withoutPins } from '../pinning.ts'
import { planGraph, type PlanArguments } from '../plan.ts'
import type { Plan, PlannedRelation } from '../plan-types.ts'
import type { Problem } from '../problem.ts'
import { markGraph } from './mark-graph.ts'

/** A plan's relations with marks on their rows; steps, sinks and what becomes a table stay the plan's own. */
export type RowIdPlan = {
  readonly relations: readonly PlannedRelation[]
  /** By relation, the columns that are marks; a relation without any is missing. */
  readonly marks: ReadonlyMap<string, readonly string[]>
  /** The column, of type UINTEGER, that whoever provides a source adds: its row's number, from 0. */
  readonly rowColumn: string
  /** The beginning of every mark's name. */
  readonly prefix: string
}

/** Plans the same once more, with marks; `plan` is what was planned without. */
export const planRowIds = async (
  args: PlanArguments,
  plan: Plan
): Promise<{ readonly rowIds: RowIdPlan } | { readonly problems: readonly Problem[] }> => {
  const columns = plan.relations.flatMap((relation) => relation.columns.map(({ name }) => name))
  const graph = args.usesPins === true ? args.graph : withoutPins(args.graph)
  const { graph: marked, rowColumn, prefix } = markGraph(graph, columns)
  const catalog = numberedCatalog(args.catalog, { name: rowColumn, type: 'integer', engineType: 'UINTEGER' })
  const answer = await planGraph({ ...args, graph: marked, catalog })
  if (answer.plan === undefined) return { problems: answer.problems }
  const { relations } = answer.plan
  const marks = new Map(
    relations.flatMap(({ id, columns: all }) => {
      const own = all.map(({ name }) => name).filter((name) => name.startsWith(prefix))
      return own.length === 0 ? [] : [[id, own] as const]
    })
  )
  return { rowIds: { relations, marks, rowColumn, prefix } }
}
