import type { Graph, GraphNode } from '../../../workflow/graph.ts'
import { type Ports, portsOf } from '../../../workflow/node-defaults.ts'
import { BranchSpec } from '../../../workflow/nodes/branch.ts'

/** The ports that a node shows, however unfinished its spec is. */
export const portsOfNode = ({ kind, spec }: Pick<GraphNode, 'kind' | 'spec'>): Ports => {
  const ports = portsOf(kind, spec)
  // Without a schema no row of a source can be rejected: a port that nothing ever leaves by would only be in the way.
  return kind === 'source' && spec['schema'] === undefined ? { ...ports, outputs: ['out'] } : ports
}

/** One of a branch's own ways may have that name. */
const isOwnWay = ({ kind, spec }: Pick<GraphNode, 'kind' | 'spec'>): boolean =>
  kind === 'branch' &&
  BranchSpec.safeParse(spec).data?.outputs.some(({ name }) => name === 'rejected') === true

/**
 * The ports to draw: `rejected` of a transform or a branch only where a wire begins at it or rows have left by it, for
 * rows are hardly ever rejected there.
 */
export const shownPorts = (
  node: Pick<GraphNode, 'id' | 'kind' | 'spec'>,
  edges: Graph['edges'],
  rejected: number | null = null
): Ports => {
  const ports = portsOfNode(node)
  const isWired = edges.some(({ from, fromPort }) => from === node.id && fromPort === 'rejected')
  const isRare = node.kind === 'transform' || (node.kind === 'branch' && !isOwnWay(node))
  return isRare && !isWired && (rejected ?? 0) === 0
    ? { ...ports, outputs: ports.outputs.filter((port) => port !== 'rejected') }
    : ports
}

/** What a port is called where it stands alone: "Flights out", "With airport left". */
export const portLabel = (nodeName: string, port: string): string => `${nodeName} ${port}`
