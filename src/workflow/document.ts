import { z } from 'zod'
import { checkGraph, toPath } from './graph-check.ts'
import { withoutWrittenSecrets } from './http/written-secrets.ts'
import { NodeId, NodeKind, Parameters, type Graph, type GraphEdge } from './graph.ts'
import type { Problem } from './problem.ts'

export const DOCUMENT_FORMAT = 'flowforge.workflow/1'

const DocumentNode = z.strictObject({
  id: NodeId,
  kind: NodeKind,
  name: z.string().max(200),
  spec: z.record(z.string(), z.unknown())
})

const DocumentEdge = z.strictObject({
  from: NodeId,
  fromPort: z.string().optional(),
  to: NodeId,
  toPort: z.string().optional(),
  condition: z.string().optional()
})

/** The file that a workflow is exported to and imported from; each spec is checked by its node's kind. */
export const WorkflowDocument = z.strictObject({
  format: z.literal(DOCUMENT_FORMAT),
  name: z.string().min(1).max(200),
  description: z.string().max(2_000).optional(),
  parameters: Parameters.optional(),
  nodes: z.array(DocumentNode),
  edges: z.array(DocumentEdge)
})
export type WorkflowDocument = z.infer<typeof WorkflowDocument>

export type ParsedDocument =
  | { readonly ok: true; readonly document: WorkflowDocument }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly document?: WorkflowDocument }

/** The graph that a document holds, its edges' ports filled in. */
export const toGraph = ({
  parameters = {},
  nodes,
  edges
}: Pick<WorkflowDocument, 'parameters' | 'nodes' | 'edges'>): Graph => ({
  parameters,
  nodes,
  edges: edges.map(({ from, fromPort = 'out', to, toPort = 'in', condition }): GraphEdge => ({
    from,
    fromPort,
    to,
    toPort,
    ...(condition === undefined ? {} : { condition })
  }))
})

/**
 * The document of a graph: places on the canvas are left out, and ports where they are the usual ones. What looks like a
 * secret of a request is masked unless it is to be kept: a document is for others, too.
 */
export const toDocument = (
  graph: Graph,
  name: string,
  description?: string,
  { keepsSecrets = false } = {}
): WorkflowDocument => ({
  format: DOCUMENT_FORMAT,
  name,
  ...(description === undefined || description === '' ? {} : { description }),
  ...(Object.keys(graph.parameters).length === 0 ? {} : { parameters: graph.parameters }),
  nodes: graph.nodes.map(({ id, kind, name: nodeName, spec }) => ({
    id,
    kind,
    name: nodeName,
    spec: kind === 'http' && !keepsSecrets ? { ...withoutWrittenSecrets(spec) } : spec
  })),
  edges: graph.edges.map(({ from, fromPort, to, toPort, condition }) => ({
    from,
    ...(fromPort === 'out' ? {} : { fromPort }),
    to,
    ...(toPort === 'in' ? {} : { toPort }),
    ...(condition === undefined ? {} : { condition })
  }))
})

// What of a document that breaks the schema can still be looked at, so that all of its problems are told at once.
const Partly = z.object({
  parameters: Parameters.optional().catch(undefined),
  nodes: z.array(z.unknown()).catch([]),
  edges: z.array(z.unknown()).catch([])
})

/** The parts that can be read, each with its place in the document. */
const readable = (
  raw: unknown
): { readonly graph: Graph; readonly nodeAt: number[]; readonly edgeAt: number[] } => {
  const partly = Partly.safeParse(raw).data ?? { parameters: undefined, nodes: [], edges: [] }
  const nodes = partly.nodes.flatMap((node, at) => {
    const parsed = DocumentNode.safeParse(node)
    return parsed.success ? [{ node: parsed.data, at }] : []
  })
  const edges = partly.edges.flatMap((edge, at) => {
    const parsed = DocumentEdge.safeParse(edge)
    return parsed.success ? [{ edge: parsed.data, at }] : []
  })
  const graph = toGraph({
    parameters: partly.parameters,
    nodes: nodes.map(({ node }) => node),
    edges: edges.map(({ edge }) => edge)
  })
  return { graph, nodeAt: nodes.map(({ at }) => at), edgeAt: edges.map(({ at }) => at) }
}

/** Problems that may only come from parts that could not be read. */
const isDoubtful = ({ code }: Problem): boolean =>
  code === 'unknown-node' || code === 'missing-input' || code === 'unknown-parameter'

const withPlace = (problem: Problem, nodeAt: readonly number[], edgeAt: readonly number[]): Problem => ({
  ...problem,
  path: problem.path
    .replace(/^nodes\[(\d+)\]/, (_, index: string) => `nodes[${nodeAt[Number(index)] ?? index}]`)
    .replace(/^edges\[(\d+)\]/, (_, index: string) => `edges[${edgeAt[Number(index)] ?? index}]`)
})

/**
 * Reads a document; one that is not valid is answered with every problem that shows without an engine, each with its
 * path, and with the document itself where its form is right.
 */
export const parseDocument = (raw: unknown): ParsedDocument => {
  const parsed = WorkflowDocument.safeParse(raw)
  if (parsed.success) {
    const { problems } = checkGraph(toGraph(parsed.data))
    return problems.length === 0
      ? { ok: true, document: parsed.data }
      : { ok: false, problems, document: parsed.data }
  }
  const broken = parsed.error.issues.map((issue): Problem => ({
    path: toPath(issue.path).replace(/^\./, ''),
    code: 'invalid',
    message: issue.message
  }))
  const { graph, nodeAt, edgeAt } = readable(raw)
  const others = checkGraph(graph).problems.filter((problem) => !isDoubtful(problem))
  return { ok: false, problems: [...broken, ...others.map((problem) => withPlace(problem, nodeAt, edgeAt))] }
}
