import type { CommitListener } from '../db/ports.ts'
import type { ParameterValues } from '../workflow/graph.ts'
import { runVariables, type RunMoment } from '../workflow/run-functions.ts'
import type { Planning } from './planning.ts'

/** So many plans are kept: a run is planned when it is asked for and when it begins, and often asked for again. */
const KEPT = 8

/**
 * Tables that runs and the keeping of the log write, and no plan is made from. A commit that touches any other is taken
 * for a change of what a plan reads: data sources, datasets, schemas, the catalog's items.
 */
const OF_NO_PLAN: ReadonlySet<string> = new Set([
  'events',
  'snapshots',
  'projection_checkpoints',
  'idempotency_keys',
  'runs',
  'run_steps',
  'run_logs',
  'workflow_runs',
  'artifacts',
  'lineage',
  'request_executions',
  'blobs',
  'log_seals',
  'health_reports'
])

type PlanCall = Planning['plan']
type Planned = Awaited<ReturnType<PlanCall>>

/** The plan for another moment: nothing of it but the values of the variables that its text reads. */
const atMoment = (planned: Planned, moment: RunMoment | undefined): Planned => {
  if (moment === undefined) return planned
  const { parameters } = planned.plan
  const said = Object.entries(runVariables(moment)).filter(([name]) => Object.hasOwn(parameters, name))
  if (said.length === 0) return planned
  const values: ParameterValues = { ...parameters, ...Object.fromEntries(said) }
  return { ...planned, plan: { ...planned.plan, parameters: values } }
}

/** Plans that were asked for before are not made again as long as nothing has changed that a plan is made from. */
export const rememberPlans = (
  context: { readonly onCommit: (listener: CommitListener) => unknown },
  planning: Planning
): Planning => {
  /** The one used longest ago first. */
  const kept = new Map<string, Planned>()
  /** Counts the changes: what was begun before one is not kept after it. */
  let changes = 0
  context.onCommit(({ tables }) => {
    if ([...tables].every((table) => OF_NO_PLAN.has(table))) return
    changes += 1
    kept.clear()
  })

  const plan: PlanCall = async (graph, wanted) => {
    const { moment, rejecting, ...rest } = wanted
    const nodes = [...(rejecting ?? [])].toSorted()
    const asked = Object.entries({ ...rest, nodes, hasMoment: moment !== undefined }).toSorted()
    const key = JSON.stringify([graph, ...asked.filter(([, value]) => value !== undefined)])
    const before = changes
    const planned = kept.get(key) ?? (await planning.plan(graph, wanted))
    if (before === changes) {
      kept.delete(key)
      kept.set(key, planned)
      const [oldest] = kept.size > KEPT ? kept.keys() : []
      if (oldest !== undefined) kept.delete(oldest)
    }
    return atMoment(planned, moment)
  }

  return { ...planning, plan }
}
