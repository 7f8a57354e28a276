import type { Graph, GraphEdge } from './graph.ts'

/** Node ids such that each comes after those that feed it, else in the graph's order. Those in or after a cycle are missing. */
export const topologicalOrder = ({ nodes, edges }: Pick<Graph, 'nodes' | 'edges'>): readonly string[] => {
  const waiting = new Map(nodes.map(({ id }) => [id, 0]))
  for (const { from, to } of edges) {
    if (waiting.has(from) && waiting.has(to)) waiting.set(to, (waiting.get(to) ?? 0) + 1)
  }
  const order: string[] = []
  for (;;) {
    const next = nodes.find(({ id }) => waiting.get(id) === 0)
    if (next === undefined) return order
    waiting.delete(next.id)
    order.push(next.id)
    for (const { from, to } of edges) {
      const left = waiting.get(to)
      if (from === next.id && left !== undefined) waiting.set(to, left - 1)
    }
  }
}

/** A node and all that feeds it, at any distance. */
export const upstreamOf = (edges: readonly GraphEdge[], nodeId: string): ReadonlySet<string> => {
  const found = new Set([nodeId])
  for (const id of found) {
    for (const { from, to } of edges) if (to === id) found.add(from)
  }
  return found
}

/** Edges that lead on from `nodeId` back to it, the shortest way. */
const shortestCycle = (edges: readonly GraphEdge[], nodeId: string): readonly GraphEdge[] | undefined => {
  const ways = edges.filter(({ from }) => from === nodeId).map((edge) => [edge])
  const seen = new Set<string>()
  for (const way of ways) {
    const end = way.at(-1)?.to
    if (end === nodeId) return way
    if (end === undefined || seen.has(end)) continue
    seen.add(end)
    for (const edge of edges) if (edge.from === end) ways.push([...way, edge])
  }
  return undefined
}

/** Cycles, one for each edge that has to go so that none is left. */
export const findCycles = ({
  nodes,
  edges
}: Pick<Graph, 'nodes' | 'edges'>): readonly (readonly GraphEdge[])[] => {
  const cycles: (readonly GraphEdge[])[] = []
  let left = [...edges]
  for (const { id } of nodes) {
    for (let cycle = shortestCycle(left, id); cycle !== undefined; cycle = shortestCycle(left, id)) {
      cycles.push(cycle)
      const closing = cycle.at(-1)
      left = left.filter((edge) => edge !== closing)
    }
  }
  return cycles
}
