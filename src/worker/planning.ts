import { FlowForgeError } from '../db/ports.ts'
import { resolveGraph, type UsedItem } from '../workflow/catalog/resolve.ts'
import { upstreamOf } from '../workflow/graph-order.ts'
import type { Graph, ParameterValues, Parameters } from '../workflow/graph.ts'
import { parameterProblems } from '../workflow/parameter-values.ts'
import { planGraph, type PlanAnswer, type PlanArguments } from '../workflow/plan.ts'
import { nodesNeeded, pinnedNodes } from '../workflow/pinning.ts'
import type { Plan } from '../workflow/plan-types.ts'
import type { Problem } from '../workflow/problem.ts'
import { readRejects } from '../workflow/rejecting.ts'
import { planRowIds, type RowIdPlan } from '../workflow/row-ids/plan-row-ids.ts'
import { runVariables, type RunMoment } from '../workflow/run-functions.ts'
import type { ManifestSource } from '../workflow/run/run-manifest.ts'
import type { Catalog } from './catalog.ts'
import type { ItemVersions } from './catalog-items/item-versions.ts'
import {
  sourceKey,
  type ComputeEngine,
  type PreparedSource,
  type PreparedSources
} from './engine/compute-engine.ts'
import { catalogFor } from './runs/past-inputs.ts'

/** A parameter's value: what was given, else its default, else null. @throws FlowForgeError `INVALID_INPUT` for a name that is not defined, or a value of another type */
const valuesOf = (definitions: Parameters, given: ParameterValues): ParameterValues => {
  const problems = parameterProblems(definitions, given)
  if (problems.length > 0) {
    throw new FlowForgeError('INVALID_INPUT', problems.map(({ message }) => message).join(' '), { problems })
  }
  return Object.fromEntries(
    Object.entries(definitions).map(([name, { default: fallback = null }]) => [name, given[name] ?? fallback])
  )
}

const problemsError = (problems: readonly Problem[]): FlowForgeError => {
  const [first] = problems
  const others = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new FlowForgeError(
    'INVALID_INPUT',
    `This workflow cannot run yet: ${first?.message ?? ''}${others}`,
    { problems }
  )
}

/** What a past run read, and the items that it used in its versions, instead of what there is now. */
type Past = {
  readonly inputs?: readonly ManifestSource[] | undefined
  readonly items?: readonly UsedItem[] | undefined
  /** What a run's functions say; NULL without it, where nothing is computed. */
  readonly moment?: RunMoment | undefined
}

/** What becomes of rows for which an expression fails; as usual where nothing is said. */
type Rejecting = {
  readonly onRowError?: 'reject' | 'fail' | undefined
  /** Nodes known to have such rows, beside those whose `rejected` is read. */
  readonly rejecting?: ReadonlySet<string> | undefined
}

type RowIdsWanted = {
  /** Plan it with marks on its rows, too. */
  readonly rowIds?: boolean | undefined
}

type Pinning = {
  /** Take the graph's pinned rows. Only drafts have pins, and runs of drafts in their manifests. */
  readonly usesPins?: boolean | undefined
}

/** Turns graphs into plans with the catalog and the engine at hand. */
export type Planning = {
  /**
   * Every problem, and the columns that could be found out. With pins, a node that nothing needs because of them is
   * checked all the same, as if there were none.
   */
  check(graph: Graph, pinning?: Pinning): Promise<PlanAnswer>
  /**
   * `inputs`: plan over what a past run read instead of what the catalog has now.
   * @throws FlowForgeError `INVALID_INPUT` with the problems
   */
  plan(
    graph: Graph,
    args: {
      parameters?: ParameterValues | undefined
      until?: string | undefined
    } & Past &
      Rejecting &
      Pinning &
      RowIdsWanted
  ): Promise<{
    plan: Plan
    rowIds?: RowIdPlan | undefined
    sources: PreparedSources
    /** The graph with the catalog's items filled in, as it was planned, and which items these were. */
    resolved: Graph
    used: readonly UsedItem[]
  }>
}

/** @throws FlowForgeError `INVALID_INPUT` where the rows of this workflow cannot carry marks */
const rowIdsFor = async (args: PlanArguments, plan: Plan): Promise<RowIdPlan> => {
  const answer = await planRowIds(args, plan)
  if ('rowIds' in answer) return answer.rowIds
  const message = `Which rows each row came from cannot be kept for this workflow: ${answer.problems[0]?.message ?? ''} Run it without.`
  throw new FlowForgeError('INVALID_INPUT', message, { problems: answer.problems })
}

/** Is it of what is planned: all, or the node `until` and what feeds it? */
const concerns = (
  graph: Graph,
  until: string | undefined,
  usesPins: boolean
): ((nodeId: string | undefined) => boolean) => {
  const leavesOut = usesPins && pinnedNodes(graph).length > 0
  if (until === undefined && !leavesOut) return () => true
  const wanted = leavesOut ? nodesNeeded(graph, until) : upstreamOf(graph.edges, until ?? '')
  return (nodeId) => nodeId !== undefined && wanted.has(nodeId)
}

export const createPlanning = (
  catalog: Catalog,
  itemVersions: ItemVersions,
  engine: ComputeEngine
): Planning => {
  const answerFor = async (
    graph: Graph,
    parameters: ParameterValues,
    until: string | undefined,
    {
      inputs,
      items,
      moment,
      onRowError = 'reject',
      rejecting = new Set(),
      usesPins = false,
      rowIds: wantsRowIds = false
    }: Past & Rejecting & Pinning & RowIdsWanted = {}
  ): Promise<PlanAnswer & { resolved: Graph; used: readonly UsedItem[]; rowIds?: RowIdPlan | undefined }> => {
    const resolved = resolveGraph(
      graph,
      await (items === undefined ? itemVersions.forGraph(graph) : itemVersions.ofRun(items))
    )
    const asked = {
      graph: resolved.graph,
      parameters: { ...parameters, ...resolved.values, ...(moment && runVariables(moment)) },
      catalog: catalogFor(catalog, inputs),
      binder: await engine.binder(resolved.graph.parameters),
      ...(onRowError === 'fail'
        ? {}
        : { rejecting: new Set([...readRejects(resolved.graph), ...rejecting]) }),
      ...(until === undefined ? {} : { until }),
      usesPins
    }
    const answer = await planGraph(asked)
    const isOfPlan = concerns(graph, until, usesPins)
    const missing = resolved.problems.filter(({ nodeId }) => isOfPlan(nodeId))
    const places = new Set(missing.map(({ path }) => path))
    // A name that stays unresolved is told once, and not again by the node that cannot do anything with it.
    const others = answer.problems.map(resolved.toOriginal).filter(({ path }) => !places.has(path))
    const rowIds =
      wantsRowIds && missing.length === 0 && answer.plan !== undefined
        ? await rowIdsFor(asked, answer.plan)
        : undefined
    return {
      problems: [...missing, ...others],
      rowIds,
      columns: answer.columns,
      // Without what is missing the plan would be of less than was asked for.
      ...(missing.length > 0 ? {} : { plan: answer.plan }),
      resolved: resolved.graph,
      used: resolved.used.filter(({ nodeId }) => isOfPlan(nodeId))
    }
  }

  const sourcesOf = async (plan: Plan, inputs: Past['inputs']): Promise<PreparedSources> => {
    const readable = catalogFor(catalog, inputs)
    const sources = new Map<string, PreparedSource>()
    for (const { source } of plan.relations) {
      if (source === null) continue
      const found = await readable.byId(source.dataSourceId)
      sources.set(
        sourceKey(source.dataSourceId, source.options),
        await catalog.prepared(found, source.options)
      )
    }
    return sources
  }

  return {
    check: async (graph, { usesPins = false } = {}) => {
      const values = valuesOf(graph.parameters, {})
      const computed = await answerFor(graph, values, undefined)
      const pinned = pinnedNodes(graph)
      if (!usesPins || pinned.length === 0) return computed
      const answer = await answerFor(graph, values, undefined, { usesPins })
      const needed = nodesNeeded(graph, undefined)
      const isLeftOut = (nodeId: string | undefined): boolean =>
        nodeId !== undefined && (!needed.has(nodeId) || pinned.includes(nodeId))
      return {
        ...answer,
        problems: [...computed.problems.filter(({ nodeId }) => isLeftOut(nodeId)), ...answer.problems],
        columns: { ...computed.columns, ...answer.columns }
      }
    },
    plan: async (graph, { parameters = {}, until, ...rest }) => {
      const answer = await answerFor(graph, valuesOf(graph.parameters, parameters), until, rest)
      if (answer.plan === undefined) throw problemsError(answer.problems)
      const { plan, rowIds, resolved, used } = answer
      return { plan, rowIds, sources: await sourcesOf(plan, rest.inputs), resolved, used }
    }
  }
}
