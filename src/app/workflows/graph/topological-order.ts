import type { Graph, GraphNode } from '../../../workflow/graph.ts'

/** Nodes in an order in which each comes after what it reads; what stands in a circle comes last, in the graph's order. */
export const inTopologicalOrder = (graph: Graph): readonly GraphNode[] => {
  const known = new Set(graph.nodes.map(({ id }) => id))
  const edges = graph.edges.filter(({ from, to }) => known.has(from) && known.has(to) && from !== to)
  const waitsFor = new Map(
    graph.nodes.map(({ id }) => [id, new Set(edges.filter(({ to }) => to === id).map(({ from }) => from))])
  )
  const ordered: GraphNode[] = []
  let waiting: readonly GraphNode[] = graph.nodes
  while (waiting.length > 0) {
    const next = waiting.find(({ id }) => waitsFor.get(id)?.size === 0) ?? waiting[0]
    if (next === undefined) break
    ordered.push(next)
    waiting = waiting.filter((node) => node !== next)
    for (const needs of waitsFor.values()) needs.delete(next.id)
  }
  return ordered
}
