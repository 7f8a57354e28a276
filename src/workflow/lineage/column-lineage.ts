import { edgeKey, type Graph, type GraphEdge } from '../graph.ts'
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

type Lookup = (relationId: string) => Traced | undefined

/** What a relation's columns are made of, given what the relations before it are made of. */
const createTracer = (graph: Graph): ((relation: PlannedRelation, known: Lookup) => Traced) => {
  const conditions = new Map(
    graph.edges.flatMap((edge) => (edge.condition === undefined ? [] : [[edgeKey(edge), edge] as const]))
  )
  const reaching = (nodeId: string, known: Lookup): TracedInputs => {
    const inputs: Record<string, Traced[]> = {}
    for (const edge of graph.edges) {
      if (edge.to !== nodeId) continue
      const traced = known(reachedBy(edge))
      if (traced !== undefined) inputs[edge.toPort] = [...(inputs[edge.toPort] ?? []), traced]
    }
    return inputs
  }
  return (relation, known) => {
    if (relation.source !== null || relation.pinned !== undefined) return asOrigin(relation)
    const edge = conditions.get(relation.id)
    const before = known(relation.dependsOn[0] ?? '')
    if (edge?.condition !== undefined && before !== undefined) {
      return withRows(before, decidingOrigins(before, edge.condition, 'FILTER'))
    }
    const node = graph.nodes.find(({ id }) => id === relation.nodeId)
    if (node === undefined) return asOrigin(relation)
    const names = relation.columns.map(({ name }) => name)
    // What a source's ports give are the rows that it reads.
    const inputs: TracedInputs =
      node.kind === 'source' && before !== undefined ? { in: [before] } : reaching(node.id, known)
    return traceNode(node, relation.port, inputs, names)
  }
}

/** The relation that an edge brings to its node. */
export const reachedBy = (edge: GraphEdge): string =>
  edge.condition === undefined ? `${edge.from}.${edge.fromPort}` : edgeKey(edge)

/**
 * For each relation of a plan, which columns of the sources its columns come from, over the whole way: directly, or
 * because they decide which rows and values there are. Pure: graph and plan say all of it.
 */
export const columnLineage = (graph: Graph, plan: Plan): ReadonlyMap<string, Traced> => {
  const trace = createTracer(graph)
  const known = new Map<string, Traced>()
  for (const relation of plan.relations)
    known.set(
      relation.id,
      trace(relation, (id) => known.get(id))
    )
  return known
}

/** The same for one step of the way: origins are columns of the relations that a relation reads. */
export const stepLineage = (graph: Graph, plan: Plan): ReadonlyMap<string, Traced> => {
  const trace = createTracer(graph)
  const known = new Map(plan.relations.map((relation) => [relation.id, asOrigin(relation)]))
  return new Map(plan.relations.map((relation) => [relation.id, trace(relation, (id) => known.get(id))]))
}
