import { rewriteParameters } from '../expression.ts'
import type { Graph, GraphNode } from '../graph.ts'
import { RuleSpec } from '../nodes/rule.ts'
import { quoteName, triedSql } from '../sql-text.ts'
import type { ExplainedRule } from './explanation.ts'
import type { Asking } from './follow.ts'

/**
 * Which rules of a node decided about rows that reached it; `table` holds those rows. `isTried`: a row for which a
 * condition fails is decided about by no rule.
 */
export const rulesThatDecided = async (
  asking: Asking,
  { parameters }: Graph,
  node: GraphNode,
  table: string,
  isTried = false
): Promise<readonly ExplainedRule[]> => {
  const { rules = [], mode } = RuleSpec.safeParse(node.spec).data ?? { mode: 'first' as const }
  const conditions = rules.map(({ when }) => `(${rewriteParameters(when, parameters)})`)
  const computable = isTried ? conditions.map((sql) => `${triedSql(sql)} IS NOT NULL`) : []
  const marks = conditions.map((sql) => `coalesce(${isTried ? `TRY(${sql})` : sql}, false)`)
  const decided: ExplainedRule[] = []
  for (const [at, { name, reject = null }] of rules.entries()) {
    const before = mode === 'first' ? marks.slice(0, at).map((mark) => `NOT ${mark}`) : []
    const where = [...computable, marks[at] ?? 'false', ...before].join(' AND ')
    // oxlint-disable-next-line no-await-in-loop -- one session answers one question at a time
    const rows = await asking.count(
      `SELECT count(*)::DOUBLE AS "count" FROM ${quoteName(table)} WHERE ${where}`
    )
    if (rows > 0) decided.push({ name, rows, reject })
  }
  return decided
}
