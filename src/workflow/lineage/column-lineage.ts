import { edgeKey, type Graph } from '../graph.ts'
import type { Plan, PlannedRelation } from '../plan-types.ts'
import { IDENTITY } from './influence.ts'
import { traceNode, type TracedInputs } from './trace-node.ts'
import { decidingOrigins, withRows, type Traced } from './traced.ts'

/** A relation's columns, each from itself: where lineage begins. */
const asOrigin = ({ id, columns }: PlannedRelation): Traced => ({
  columns: columns.map(({ name }) => ({
    name,
    from: [{ relation: id, column: name, influence: IDENTITY, isKnown: true }]
  })),
  rows: []
})

/**
 * For each relation of a plan, which columns of the sources its columns come from, over the whole way: directly, or
 * because they decide which rows and values there are. Pure: graph and plan say all of it.
 */
export const columnLineage = (graph: Graph, plan: Plan): ReadonlyMap<string, Traced> => {
  const known = new Map<string, Traced>()
  const conditions = new Map(
    graph.edges.flatMap((edge) => (edge.condition === undefined ? [] : [[edgeKey(edge), edge] as const]))
  )
  const reaching = (nodeId: string): TracedInputs => {
    const inputs: Record<string, Traced[]> = {}
    for (const edge of graph.edges) {
      if (edge.to !== nodeId) continue
      const id = edge.condition === undefined ? `${edge.from}.${edge.fromPort}` : edgeKey(edge)
      const traced = known.get(id)
      if (traced !== undefined) inputs[edge.toPort] = [...(inputs[edge.toPort] ?? []), traced]
    }
    return inputs
  }
  const trace = (relation: PlannedRelation): Traced => {
    if (relation.source !== null) return asOrigin(relation)
    const condition = conditions.get(relation.id)
    const before = known.get(
      condition === undefined ? `${relation.nodeId}.out` : (relation.dependsOn[0] ?? '')
    )
    if (condition?.condition !== undefined && before !== undefined) {
      return withRows(before, decidingOrigins(before, condition.condition, 'FILTER'))
    }
    const node = graph.nodes.find(({ id }) => id === relation.nodeId)
    if (node === undefined) return asOrigin(relation)
    const names = relation.columns.map(({ name }) => name)
    // What a source's other ports give are its own rows.
    const inputs: TracedInputs =
      node.kind === 'source' && before !== undefined ? { in: [before] } : reaching(node.id)
    return traceNode(node, relation.port, inputs, names)
  }
  for (const relation of plan.relations) known.set(relation.id, trace(relation))
  return known
}
