import type { Graph, GraphNode } from '../../../workflow/graph.ts'
import { type Ports, portsOf } from '../../../workflow/node-defaults.ts'

/** The ports that a node shows, however unfinished its spec is. */
export const portsOfNode = ({ kind, spec }: Pick<GraphNode, 'kind' | 'spec'>): Ports => {
  const ports = portsOf(kind, spec)
  // Without a schema no row of a source can be rejected: a port that nothing ever leaves by would only be in the way.
  return kind === 'source' && spec['schema'] === undefined ? { ...ports, outputs: ['out'] } : ports
}

/**
 * The ports to draw: a transform's `rejected` only where a wire begins at it or rows have left by it, for rows are
 * hardly ever rejected there.
 */
export const shownPorts = (
  node: Pick<GraphNode, 'id' | 'kind' | 'spec'>,
  edges: Graph['edges'],
  rejected: number | null = null
): Ports => {
  const ports = portsOfNode(node)
  const isWired = edges.some(({ from, fromPort }) => from === node.id && fromPort === 'rejected')
  return node.kind === 'transform' && !isWired && (rejected ?? 0) === 0
    ? { ...ports, outputs: ['out'] }
    : ports
}

/** What a port is called where it stands alone: "Flights out", "With airport left". */
export const portLabel = (nodeName: string, port: string): string => `${nodeName} ${port}`
