import { toFlowForgeError } from '../../db/ports.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import { toQuery } from '../../workflow/query.ts'
import { isBroken } from './engine-errors.ts'
import type { Session } from './session.ts'

/**
 * The node at which a query of many nodes fails: its relations are evaluated one after the other, and the first that
 * fails is it. Null where none fails alone, as when memory runs out.
 */
export const findFailingNode = async (
  session: Session,
  plan: Plan,
  relationIds: readonly string[],
  tables: ReadonlySet<string>,
  failure: unknown
): Promise<string | null> => {
  const { code, details } = toFlowForgeError(failure)
  if (code !== 'INVALID_INPUT' || details['reason'] !== 'query' || isBroken(failure)) return null
  for (const { id, nodeId, sql } of plan.relations) {
    if (sql === null || tables.has(id) || !relationIds.includes(id)) continue
    try {
      for await (const batch of session.stream(toQuery(plan, id, tables))) void batch
    } catch (thrown) {
      const error = toFlowForgeError(thrown)
      if (error.code !== 'INVALID_INPUT') throw thrown
      return nodeId
    }
  }
  return null
}
