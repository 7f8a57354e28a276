import type { Plan } from './plan-types.ts'
import { passesOn } from './relation.ts'

/**
 * The plan with a table for what leaves each node and is read by another, so that its rows can be kept. What only a
 * sink reads is kept by the sink.
 */
export const withEveryCheckpoint = (plan: Plan): Plan => {
  const sinkRelations = new Set(plan.sinks.map(({ relation }) => relation))
  const isRead = (id: string): boolean =>
    plan.relations.some(
      (reader) => reader.dependsOn.includes(id) && !(sinkRelations.has(reader.id) && passesOn(reader) === id)
    )
  const outputs = new Set(
    plan.steps.filter(({ kind }) => kind !== 'source').flatMap((step) => step.outputs.filter(isRead))
  )
  const shared = plan.relations
    .filter(({ id, sql }) => plan.shared.includes(id) || (sql !== null && outputs.has(id)))
    .map(({ id }) => id)
  return { ...plan, shared }
}
