import type { Graph, GraphNode } from './graph.ts'
import { branchCanReject, BranchSpec } from './nodes/branch.ts'
import { RuleSpec } from './nodes/rule.ts'
import { canReject } from './nodes/transform-tried.ts'
import { TransformSpec } from './nodes/transform-spec.ts'

/** Has this node expressions of one row whose failing rows could leave by its `rejected`? */
export const canRejectRows = ({ kind, spec }: Pick<GraphNode, 'kind' | 'spec'>): boolean => {
  switch (kind) {
    case 'transform': {
      const parsed = TransformSpec.safeParse(spec)
      return parsed.success && canReject(parsed.data.steps)
    }
    case 'rule': {
      const { rules = [], otherwise = {} } = RuleSpec.safeParse(spec).data ?? {}
      return rules.length > 0 || Object.keys(otherwise).length > 0
    }
    case 'branch': {
      const parsed = BranchSpec.safeParse(spec)
      return parsed.success && branchCanReject(parsed.data)
    }
    // A source's rows are rejected by its schema, those of a service by its answers.
    case 'source':
    case 'http':
    case 'join':
    case 'sink':
      return false
  }
}

/** Nodes whose `rejected` is read: what leaves by it must be known before the first query, not when one has failed. */
export const readRejects = ({ nodes, edges }: Graph): ReadonlySet<string> =>
  new Set(
    nodes
      .filter(
        (node) =>
          canRejectRows(node) &&
          edges.some(({ from, fromPort }) => from === node.id && fromPort === 'rejected')
      )
      .map(({ id }) => id)
  )
