import type { Plan, PlannedStep } from '../../workflow/plan-types.ts'
import { throwIfCanceled } from './engine-errors.ts'
import { findFailingNode } from './failing-node.ts'
import { relationOf, StepFailure, type Execution } from './plan-under-way.ts'
import { neededFor } from './plan-session.ts'

/** Steps that are done once these relations have been evaluated, in the plan's order. */
const stepsFor = ({ plan, begun }: Execution, relationIds: readonly string[]): readonly PlannedStep[] => {
  const needed = neededFor(plan, relationIds)
  const nodes = new Set(plan.relations.filter(({ id }) => needed.has(id)).map(({ nodeId }) => nodeId))
  return plan.steps.filter(({ nodeId, outputs }) => {
    // A condition on an edge belongs to the node behind it, which is not done with it.
    return !begun.has(nodeId) && nodes.has(nodeId) && outputs.some((id) => needed.has(id))
  })
}

type Done = {
  readonly bytes: number | null
  readonly nodeId: string | null
  /** Nothing was computed: the engine's memory is what it was. */
  readonly isNothing?: boolean
}
/** Answers with what was written, and for which node. */
type Work = () => Promise<Done | null>

/** Carries one query out for all steps that are fused in it; they start and end with it, unless it answers with null. */
export const unit = async (run: Execution, relationIds: readonly string[], work: Work): Promise<void> => {
  const { listener, begun, told, place, plan } = run
  const steps = stepsFor(run, relationIds)
  for (const { nodeId } of steps) begun.add(nodeId)
  for (const { nodeId } of steps) {
    if (told.has(nodeId)) continue
    told.add(nodeId)
    await listener.stepStarted(nodeId)
  }
  // While a service is asked, it is others that read.
  const isAsking = relationIds.some((id) => asks(plan, relationOf(plan, id).nodeId))
  const endFollowing = place.instance.reads.follow((bytes) => {
    if (!isAsking) for (const { nodeId } of steps) listener.stepRead(nodeId, bytes)
  })
  try {
    await carryOutSteps(run, relationIds, steps, work)
  } finally {
    endFollowing()
  }
}

const asks = (plan: Plan, node: string): boolean =>
  plan.relations.some(({ nodeId, external }) => nodeId === node && external !== undefined)

const carryOutSteps = async (
  { listener, counts, tables, begun, place, plan }: Execution,
  relationIds: readonly string[],
  steps: readonly PlannedStep[],
  work: Work
): Promise<void> => {
  const start = performance.now()
  const fail = async (ids: readonly string[], otherwise: string, thrown: unknown): Promise<never> => {
    throwIfCanceled(place.signal)
    const nodeId = await findFailingNode(place.session, plan, [...neededFor(plan, ids)], tables, thrown)
    throw new StepFailure(nodeId ?? otherwise, thrown)
  }
  const last = relationOf(plan, relationIds.at(-1) ?? '').nodeId
  const done = await work().catch((thrown: unknown) => fail(relationIds, last, thrown))
  if (done === null) {
    // Whoever needs them next carries them out.
    for (const { nodeId } of steps) begun.delete(nodeId)
    return
  }
  const ms = performance.now() - start
  const asked = done.isNothing === true ? undefined : place.instance.memoryBytes()
  // It fails with the engine, and then what counts the rows fails, too.
  asked?.catch(() => undefined)
  for (const step of steps) {
    // Rows that leave where nobody reads them are counted as well, and what is computed for that may fail.
    const rows = await counts
      .of(step, tables)
      .catch((thrown: unknown) => fail(step.outputs, step.nodeId, thrown))
    const bytes = step.nodeId === done.nodeId ? done.bytes : null
    const memoryBytes = await asked
    const stats = { ...rows, bytes, ms, ...(memoryBytes === undefined ? {} : { memoryBytes }) }
    await listener.stepSucceeded(step.nodeId, stats)
  }
}
