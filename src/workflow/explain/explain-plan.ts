import type { Binder } from '../binder.ts'
import type { Graph, ParameterValues } from '../graph.ts'
import { planGraph, type PlanCatalog } from '../plan.ts'
import { numberedCatalog } from './numbered-catalog.ts'
import type { Plan } from '../plan-types.ts'
import type { Problem } from '../problem.ts'
import type { Carried } from './carried.ts'
import { carryMarks } from './carry.ts'
import { unfoldGraph, type Unfolded } from './unfold.ts'

/** A workflow planned step by step, once as it is and once with marks on its rows. */
export type ExplainPlan = {
  readonly unfolded: Unfolded
  /** A relation for each step, without marks. */
  readonly steps: Plan
  readonly carried: Carried
  readonly plan: Plan
}

type Arguments = {
  readonly graph: Graph
  readonly parameters: ParameterValues
  readonly catalog: PlanCatalog
  readonly binder: Binder
  readonly until: string
  /** Of that node, the port whose rows are asked about. */
  readonly port: string
  /** Nodes of the workflow where the run rejected rows for which an expression failed. */
  readonly rejecting?: ReadonlySet<string>
}

/** Plans a workflow up to a node so that its rows can be followed; or the problems that stand in the way. */
export const planExplanation = async (
  args: Arguments
): Promise<{ readonly plan: ExplainPlan } | { readonly problems: readonly Problem[] }> => {
  const { parameters, catalog, binder, rejecting: rejectingNodes = new Set() } = args
  const unfolded = unfoldGraph(args.graph)
  const until = unfolded.leaving(args.until, args.port)
  const rejecting = new Set(
    [...unfolded.parts].flatMap(([id, { nodeId }]) => (rejectingNodes.has(nodeId) ? [id] : []))
  )
  const steps = await planGraph({ graph: unfolded.graph, parameters, catalog, binder, until, rejecting })
  if (steps.plan === undefined) return { problems: steps.problems }
  const columns = new Map(steps.plan.relations.map((relation) => [relation.id, relation.columns]))
  const carried = carryMarks(unfolded.graph, (id) => (columns.get(id) ?? []).map(({ name }) => name))
  const numbered = numberedCatalog(catalog, {
    name: carried.rowColumn,
    type: 'integer',
    engineType: 'BIGINT'
  })
  const marked = { graph: carried.graph, parameters, catalog: numbered, binder, until, rejecting }
  const answer = await planGraph(marked)
  if (answer.plan === undefined) return { problems: answer.problems }
  return { plan: { unfolded, steps: steps.plan, carried, plan: answer.plan } }
}
