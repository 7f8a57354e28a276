import type { Plan, PlannedRelation, PlannedStep } from './plan-types.ts'
import { reachedFrom } from './relation.ts'

/** What is there already: relations whose rows are stored, and sinks (by node) whose files are. */
export type Available = { readonly tables: ReadonlySet<string>; readonly files: ReadonlySet<string> }

/** What is left of a plan when stored rows are used, and how. */
export type Remaining = {
  /** In it, what is loaded has neither SQL nor a source. */
  readonly plan: Plan
  /** Relations to be filled from their stored rows. */
  readonly loaded: readonly string[]
  /** Relations that are wanted and stored: nothing is done for them. */
  readonly kept: readonly string[]
  /** Nodes with nothing left to do, each with the stored relation that stands for it. */
  readonly reused: ReadonlyMap<string, string>
}

/** Relations that become results: those that are wanted, and of the shared ones what is read by nobody. */
const askedFor = ({ relations, sinks, shared, wanted }: Plan): readonly string[] => {
  const read = new Set([
    ...relations.flatMap(({ dependsOn }) => dependsOn),
    ...sinks.map(({ relation }) => relation)
  ])
  return shared.filter((id) => wanted.includes(id) || !read.has(id))
}

/** Steps that nobody reads from: they are evaluated to be counted, and fail like the others. */
const looseEnds = ({ relations, steps, sinks }: Plan, asked: readonly string[]): readonly PlannedStep[] => {
  const read = new Set([
    ...relations.flatMap(({ nodeId, dependsOn }) =>
      // A port that reads another one of its own node, as `rejected` does, does not take the rows away.
      dependsOn.filter((id) => relations.find((other) => other.id === id)?.nodeId !== nodeId)
    ),
    ...sinks.map(({ relation }) => relation),
    ...asked
  ])
  return steps.filter(({ outputs }) => !outputs.some((id) => read.has(id)))
}

/** A step is counted on all of its ports, so all that its ports need is needed with it. */
const withWholeSteps = (
  { relations, steps }: Plan,
  targets: readonly string[],
  known: ReadonlySet<string>
): { readonly needed: ReadonlySet<string>; readonly worked: ReadonlySet<string> } => {
  let needed = reachedFrom(relations, targets, known)
  for (;;) {
    const current = needed
    const worked = steps.filter(({ outputs }) => outputs.some((id) => current.has(id) && !known.has(id)))
    const all = worked.flatMap(({ inputs, outputs }) => [...inputs, ...outputs])
    needed = reachedFrom(relations, [...current, ...all], known)
    if (needed.size === current.size) return { needed, worked: new Set(worked.map(({ nodeId }) => nodeId)) }
  }
}

const loadedForm = (relation: PlannedRelation): PlannedRelation => ({
  ...relation,
  sql: null,
  source: null,
  dependsOn: []
})

/** Leaves out of a plan what need not be done again. */
export const planReuse = (plan: Plan, { tables, files }: Available): Remaining => {
  const asked = askedFor(plan)
  const isDone = ({ nodeId, relation }: Plan['sinks'][number]) => tables.has(relation) && files.has(nodeId)
  const kept = [
    ...plan.sinks.filter(isDone).map(({ relation }) => relation),
    ...asked.filter((id) => tables.has(id))
  ]
  const sinks = plan.sinks.filter((sink) => !isDone(sink))
  const written = new Set(sinks.map(({ relation }) => relation))
  // A sink's own rows are written anew where its file is missing, from the stored rows that it reads.
  const known = new Set([...tables].filter((id) => !written.has(id)))
  const targets = [
    ...written,
    ...asked.filter((id) => !known.has(id)),
    ...looseEnds(plan, asked).flatMap(({ outputs }) => outputs.filter((id) => !kept.includes(id)))
  ]
  const { needed, worked } = withWholeSteps(plan, targets, known)
  const loaded = plan.relations.map(({ id }) => id).filter((id) => needed.has(id) && known.has(id))
  const relations = plan.relations
    .filter(({ id }) => needed.has(id))
    .map((relation) => (known.has(relation.id) ? loadedForm(relation) : relation))
  const readers = relations.flatMap(({ dependsOn }) => dependsOn)
  const shared = plan.shared.filter(
    (id) =>
      needed.has(id) &&
      !known.has(id) &&
      (asked.includes(id) || readers.filter((reader) => reader === id).length > 1)
  )
  const reused = new Map<string, string>()
  for (const stored of [...kept, ...loaded]) {
    const behind = reachedFrom(plan.relations, [stored])
    for (const { nodeId, outputs } of plan.steps) {
      if (worked.has(nodeId) || reused.has(nodeId)) continue
      if (outputs.some((id) => behind.has(id))) reused.set(nodeId, stored)
    }
  }
  return {
    plan: { ...plan, relations, shared, sinks, steps: plan.steps.filter(({ nodeId }) => worked.has(nodeId)) },
    loaded,
    kept,
    reused
  }
}
