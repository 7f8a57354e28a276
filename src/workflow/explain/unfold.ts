import type { Graph, GraphEdge, GraphNode } from '../graph.ts'
import { TransformSpec, type Step } from '../nodes/transform-spec.ts'
import { canReject, rowwise } from '../nodes/transform-tried.ts'

/** Where a node of an unfolded graph comes from: a node of the workflow, and of a transform one step. */
export type Part = { readonly nodeId: string; readonly step: Step | null; readonly at: number | null }

export type Unfolded = {
  readonly graph: Graph
  readonly parts: ReadonlyMap<string, Part>
  /** The node of this graph by whose port leaves what left a node of the workflow by it. */
  readonly leaving: (nodeId: string, port: string) => string
}

type Chain = {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly steps: readonly Step[]
  /** All steps that could reject a row, once more as one node: what it rejects leaves as it came to the first of them. */
  readonly rejecting: GraphNode | undefined
}

/** The id that a step of a transform has when it stands alone. The last keeps the node's, and so what leaves the node keeps its name. */
export const unfoldedId = (nodeId: string, at: number, steps: number): string =>
  at >= steps - 1 ? nodeId : `${nodeId}/${at}`

const isUnion = (step: Step | undefined): boolean => step?.op === 'union'

const rejectingNode = (node: GraphNode, steps: readonly Step[]): GraphNode | undefined => {
  if (!canReject(steps)) return undefined
  const own = steps.filter((step) => !isUnion(step))
  return { ...node, id: `${node.id}/rejecting`, spec: { steps: own.slice(0, rowwise(own)) } }
}

const chainOf = (node: GraphNode): Chain => {
  const steps = node.kind === 'transform' ? (TransformSpec.safeParse(node.spec).data?.steps ?? []) : []
  if (steps.length < 2) return { nodes: [node], edges: [], steps, rejecting: undefined }
  const idOf = (at: number): string => unfoldedId(node.id, at, steps.length)
  return {
    rejecting: rejectingNode(node, steps),
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
    if (chain.rejecting !== undefined) parts.set(chain.rejecting.id, { nodeId, step: null, at: null })
  }
  const leaving: Unfolded['leaving'] = (nodeId, port) =>
    (port === 'rejected' ? chains.get(nodeId)?.rejecting?.id : undefined) ?? nodeId
  const entries = (edge: GraphEdge): readonly GraphEdge[] => {
    const chain = chains.get(edge.to)
    const from = leaving(edge.from, edge.fromPort)
    const first = { ...edge, from, to: chain?.nodes[0]?.id ?? edge.to }
    const rejecting = isUnion(chain?.steps[0]) ? undefined : chain?.rejecting
    return rejecting === undefined ? [first] : [first, { ...edge, from, to: rejecting.id }]
  }
  const all = [...chains.values()]
  const united = all.flatMap(({ nodes: [first], steps: [step], rejecting }): readonly GraphEdge[] =>
    first === undefined || rejecting === undefined || !isUnion(step)
      ? []
      : [{ from: first.id, fromPort: 'out', to: rejecting.id, toPort: 'in' }]
  )
  return {
    graph: {
      parameters,
      nodes: all.flatMap((chain) => [
        ...chain.nodes,
        ...(chain.rejecting === undefined ? [] : [chain.rejecting])
      ]),
      edges: [...edges.flatMap(entries), ...all.flatMap((chain) => chain.edges), ...united]
    },
    parts,
    leaving
  }
}
