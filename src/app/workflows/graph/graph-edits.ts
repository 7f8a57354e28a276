import type { GraphChange } from '../../../workflow/change.ts'
import type { Graph, GraphEdge, GraphNode } from '../../../workflow/graph.ts'

/** One end of a wire. */
export type PortRef = { readonly nodeId: string; readonly port: string }
export type EdgeEnds = Pick<GraphEdge, 'from' | 'fromPort' | 'to' | 'toPort'>

export const endsOf = ({ from, fromPort, to, toPort }: EdgeEnds): EdgeEnds => ({ from, fromPort, to, toPort })

const removeEdge = (edge: GraphEdge): GraphChange => ({ type: 'remove-edge', edge: endsOf(edge) })

/** Nodes and every edge that touches them, edges first. */
export const removeNodesChanges = (graph: Graph, nodeIds: ReadonlySet<string>): GraphChange[] => [
  ...graph.edges.filter(({ from, to }) => nodeIds.has(from) || nodeIds.has(to)).map(removeEdge),
  ...graph.nodes
    .filter(({ id }) => nodeIds.has(id))
    .map(({ id }): GraphChange => ({ type: 'remove-node', nodeId: id }))
]

/** Does anything that leaves `from` reach `to`? */
export const reaches = (edges: readonly EdgeEnds[], from: string, to: string): boolean => {
  const seen = new Set([from])
  const waiting = [from]
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (id === to) return true
    for (const edge of edges) {
      if (edge.from !== id || seen.has(edge.to)) continue
      seen.add(edge.to)
      waiting.push(edge.to)
    }
  }
  return false
}

export const isConnected = (graph: Graph, from: PortRef, to: PortRef): boolean =>
  graph.edges.some(
    (edge) =>
      edge.from === from.nodeId &&
      edge.fromPort === from.port &&
      edge.to === to.nodeId &&
      edge.toPort === to.port
  )

/** Would a wire between the two be one that can run: no circle, and not there already? */
export const canConnect = (graph: Graph, from: PortRef, to: PortRef): boolean =>
  from.nodeId !== to.nodeId && !reaches(graph.edges, to.nodeId, from.nodeId) && !isConnected(graph, from, to)

/** Joins two ports. An input that holds one wire alone gives up the one it has (`replaces`). */
export const connectChanges = (graph: Graph, from: PortRef, to: PortRef, takesMany: boolean) => {
  const replaced = takesMany
    ? []
    : graph.edges.filter((edge) => edge.to === to.nodeId && edge.toPort === to.port)
  const edge: GraphEdge = { from: from.nodeId, fromPort: from.port, to: to.nodeId, toPort: to.port }
  const changes: GraphChange[] = [...replaced.map(removeEdge), { type: 'add-edge', edge }]
  return { changes, replaced }
}

export const nodeById = (graph: Graph, nodeId: string): GraphNode | undefined =>
  graph.nodes.find((node) => node.id === nodeId)
