import type { Plan, PlannedRelation } from './plan-types.ts'
import { quoteName } from './sql-text.ts'

/** Relations that stand under another name than their id, each with that name. */
export type StandsAs = ReadonlyMap<string, string>

/**
 * One query for a relation: the relations that it depends on as common tables, as far as they are not tables already
 * (`tables`, and every source).
 * @throws Error for an id that the plan does not have
 */
export const toQuery = (
  plan: Pick<Plan, 'relations'>,
  relationId: string,
  tables: ReadonlySet<string>,
  standsAs: StandsAs = new Map()
): string => {
  const byId = new Map(plan.relations.map((relation) => [relation.id, relation]))
  if (!byId.has(relationId)) throw new Error(`The plan has no relation "${relationId}".`)
  const isTable = ({ id, sql }: PlannedRelation): boolean =>
    sql === null || tables.has(id) || standsAs.has(id)
  const needed = new Map<string, number>([[relationId, 1]])
  // Relations come after what they depend on: from the end, each is known to be needed before its own needs are read.
  for (const relation of plan.relations.toReversed()) {
    if (!needed.has(relation.id) || isTable(relation)) continue
    for (const id of relation.dependsOn) needed.set(id, (needed.get(id) ?? 0) + 1)
  }
  const common = plan.relations.flatMap((relation) => {
    const readers = needed.get(relation.id)
    const name = standsAs.get(relation.id)
    if (readers !== undefined && name !== undefined) {
      return [`${quoteName(relation.id)} AS NOT MATERIALIZED (SELECT * FROM ${quoteName(name)})`]
    }
    if (readers === undefined || isTable(relation)) return []
    // Read once, it stays part of the pipeline; read more often, the engine decides.
    const inline = readers === 1 ? 'NOT MATERIALIZED ' : ''
    return [`${quoteName(relation.id)} AS ${inline}(${relation.sql ?? ''})`]
  })
  const select = `SELECT * FROM ${quoteName(relationId)}`
  return common.length === 0 ? select : `WITH ${common.join(', ')} ${select}`
}
