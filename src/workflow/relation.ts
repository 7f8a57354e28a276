import type { Plan, PlannedRelation } from './plan-types.ts'
import { quoteName } from './sql-text.ts'

/** The relation whose rows this one passes on unchanged: as many here as there, in the same order. */
export const passesOn = ({ sql, dependsOn }: PlannedRelation): string | undefined => {
  const [only] = dependsOn
  return only !== undefined && dependsOn.length === 1 && sql === `SELECT * FROM ${quoteName(only)}`
    ? only
    : undefined
}

/** No row of it ever is there, whatever it reads. */
export const isEmpty = ({ sql }: PlannedRelation): boolean => sql?.endsWith(' LIMIT 0') === true

/** Ids of the relations that these read, at any distance, and their own; reading goes no further than `known`. */
export const reachedFrom = (
  relations: Plan['relations'],
  ids: Iterable<string>,
  known: ReadonlySet<string> = new Set()
): ReadonlySet<string> => {
  const reached = new Set(ids)
  // Relations come after what they depend on.
  for (const { id, dependsOn } of relations.toReversed()) {
    if (reached.has(id) && !known.has(id)) for (const needed of dependsOn) reached.add(needed)
  }
  return reached
}
