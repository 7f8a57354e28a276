import type { Graph, GraphNode } from './graph.ts'
import { upstreamOf } from './graph-order.ts'

const withoutPin = (node: GraphNode): GraphNode => {
  const { pin: _, ...rest } = node
  return rest
}

/** The graph as it is published: each node is computed. */
export const withoutPins = (graph: Graph): Graph =>
  graph.nodes.some(({ pin }) => pin !== undefined) ? { ...graph, nodes: graph.nodes.map(withoutPin) } : graph

/** Ids of the nodes that are pinned, in the graph's order: what is said when a draft is published. */
export const pinnedNodes = ({ nodes }: Graph): readonly string[] =>
  nodes.flatMap(({ id, pin }) => (pin === undefined ? [] : [id]))

/**
 * The nodes that a plan with pins has: not those that feed pinned nodes alone, whose rows nobody would read and whose
 * requests must not leave.
 */
export const nodesNeeded = (graph: Graph, until: string | undefined): ReadonlySet<string> => {
  const pinned = new Set(pinnedNodes(graph))
  const edges = graph.edges.filter(({ to }) => !pinned.has(to))
  if (until !== undefined) return upstreamOf(edges, until)
  const needed = new Set(graph.nodes.map(({ id }) => id))
  for (;;) {
    const idle = [...needed].filter(
      (id) =>
        graph.edges.some(({ from }) => from === id) &&
        !edges.some(({ from, to }) => from === id && needed.has(to))
    )
    if (idle.length === 0) return needed
    for (const id of idle) needed.delete(id)
  }
}
