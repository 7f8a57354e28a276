import type { GraphNode, NodeKind } from '../../../workflow/graph.ts'
import type { NodeSpec } from './node-kinds.ts'
import { asList, asRecord, asText } from './spec-reading.ts'

export type InputPort = { readonly name: string; readonly takesMany: boolean }
export type NodePorts = { readonly inputs: readonly InputPort[]; readonly outputs: readonly string[] }

const isUnion = (step: unknown): boolean => asRecord(step)['op'] === 'union'
const one = (name: string): InputPort => ({ name, takesMany: false })

const branchOutputs = (spec: NodeSpec): readonly string[] => [
  ...new Set(
    asList(spec['outputs'])
      .map((output) => asText(asRecord(output)['name']))
      .filter((name) => name !== '')
  )
]

/** The ports that a node shows, however unfinished its spec is. */
export const portsOf = (kind: NodeKind, spec: NodeSpec): NodePorts => {
  switch (kind) {
    case 'source':
      return { inputs: [], outputs: spec['schema'] === undefined ? ['out'] : ['out', 'rejected'] }
    case 'transform':
      return { inputs: [{ name: 'in', takesMany: asList(spec['steps']).some(isUnion) }], outputs: ['out'] }
    case 'join':
      return { inputs: [one('left'), one('right')], outputs: ['out'] }
    case 'rule':
    case 'http':
      return { inputs: [one('in')], outputs: ['out', 'rejected'] }
    case 'branch':
      return { inputs: [one('in')], outputs: branchOutputs(spec) }
    case 'sink':
      return { inputs: [one('in')], outputs: [] }
  }
}

export const portsOfNode = (node: Pick<GraphNode, 'kind' | 'spec'>): NodePorts =>
  portsOf(node.kind, node.spec)

/** What a port is called where it stands alone: "Flights out", "With airport left". */
export const portLabel = (nodeName: string, port: string): string => `${nodeName} ${port}`
