import { rewriteParameters } from '../expression.ts'
import type { Graph, GraphNode } from '../graph.ts'
import { RuleSpec } from '../nodes/rule.ts'
import { quoteName } from '../sql-text.ts'
import type { ExplainedRule } from './explanation.ts'
import type { Asking } from './follow.ts'

/** Which rules of a node decided about rows that reached it; `table` holds those rows. */
export const rulesThatDecided = async (
  asking: Asking,
  { parameters }: Graph,
  node: GraphNode,
  table: string
): Promise<readonly ExplainedRule[]> => {
  const { rules = [], mode } = RuleSpec.safeParse(node.spec).data ?? { mode: 'first' as const }
  const marks = rules.map(({ when }) => `coalesce((${rewriteParameters(when, parameters)}), false)`)
  const decided: ExplainedRule[] = []
  for (const [at, { name, reject = null }] of rules.entries()) {
    const before = mode === 'first' ? marks.slice(0, at).map((mark) => `NOT ${mark}`) : []
    const where = [marks[at] ?? 'false', ...before].join(' AND ')
    // oxlint-disable-next-line no-await-in-loop -- one session answers one question at a time
    const rows = await asking.count(
      `SELECT count(*)::DOUBLE AS "count" FROM ${quoteName(table)} WHERE ${where}`
    )
    if (rows > 0) decided.push({ name, rows, reject })
  }
  return decided
}
