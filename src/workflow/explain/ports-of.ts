import type { Graph, GraphNode } from '../graph.ts'

/** Ports that may be asked about: all that edges begin at, and the usual ones. */
export const portsOf = (node: GraphNode, { edges }: Graph): readonly string[] => {
  const asked = edges.filter(({ from }) => from === node.id).map(({ fromPort }) => fromPort)
  const outputs: unknown = node.spec['outputs']
  const named = Array.isArray(outputs)
    ? outputs.flatMap((output: unknown) =>
        typeof output === 'object' && output !== null && 'name' in output && typeof output.name === 'string'
          ? [output.name]
          : []
      )
    : []
  return [...new Set([...asked, ...named, 'out', 'rejected', 'in'])]
}
