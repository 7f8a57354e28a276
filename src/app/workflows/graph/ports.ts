import type { GraphNode } from '../../../workflow/graph.ts'
import { type Ports, portsOf } from '../../../workflow/node-defaults.ts'

/** The ports that a node shows, however unfinished its spec is. */
export const portsOfNode = ({ kind, spec }: Pick<GraphNode, 'kind' | 'spec'>): Ports => {
  const ports = portsOf(kind, spec)
  // Without a schema no row of a source can be rejected: a port that nothing ever leaves by would only be in the way.
  return kind === 'source' && spec['schema'] === undefined ? { ...ports, outputs: ['out'] } : ports
}

/** What a port is called where it stands alone: "Flights out", "With airport left". */
export const portLabel = (nodeName: string, port: string): string => `${nodeName} ${port}`
