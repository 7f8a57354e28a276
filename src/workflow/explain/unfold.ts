import type { Graph, GraphEdge, GraphNode } from '../graph.ts'
import { TransformSpec, type Step } from '../nodes/transform-spec.ts'

/** Where a node of an unfolded graph comes from: a node of the workflow, and of a transform one step. */
export type Part = { readonly nodeId: string; readonly step: Step | null; readonly at: number | null }

export type Unfolded = {
  readonly graph: Graph
  readonly parts: ReadonlyMap<string, Part>
}

type Chain = {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly steps: readonly Step[]
}

/** The id that a step of a transform has when it stands alone. The last keeps the node's, and so what leaves the node keeps its name. */
export const unfoldedId = (nodeId: string, at: number, steps: number): string =>
  at >= steps - 1 ? nodeId : `${nodeId}/${at}`

const chainOf = (node: GraphNode): Chain => {
  const steps = node.kind === 'transform' ? (TransformSpec.safeParse(node.spec).data?.steps ?? []) : []
  if (steps.length < 2) return { nodes: [node], edges: [], steps }
  const idOf = (at: number): string => unfoldedId(node.id, at, steps.length)
  return {
    nodes: steps.map((step, at) => ({ ...node, id: idOf(at), spec: { steps: [step] } })),
    edges: steps
      .slice(1)
      .map((_, at): GraphEdge => ({ from: idOf(at), fromPort: 'out', to: idOf(at + 1), toPort: 'in' })),
    steps
  }
}

/** The same workflow with a node for each step of its transforms, so that each can be looked at by itself. */
export const unfoldGraph = ({ parameters, nodes, edges }: Graph): Unfolded => {
  const chains = new Map(nodes.map((node) => [node.id, chainOf(node)]))
  const parts = new Map<string, Part>()
  for (const [nodeId, chain] of chains) {
    for (const [at, { id }] of chain.nodes.entries()) {
      const step = chain.steps[at] ?? null
      parts.set(id, { nodeId, step, at: step === null ? null : at })
    }
  }
  const entry = (edge: GraphEdge): GraphEdge => ({
    ...edge,
    to: chains.get(edge.to)?.nodes[0]?.id ?? edge.to
  })
  const all = [...chains.values()]
  return {
    graph: {
      parameters,
      nodes: all.flatMap((chain) => chain.nodes),
      edges: [...edges.map(entry), ...all.flatMap((chain) => chain.edges)]
    },
    parts
  }
}
