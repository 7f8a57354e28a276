import { z } from 'zod'
import { Pin } from './pin.ts'

/** The seven kinds of node. */
export const NODE_KINDS = ['source', 'transform', 'join', 'rule', 'http', 'branch', 'sink'] as const
export const NodeKind = z.enum(NODE_KINDS)
export type NodeKind = z.infer<typeof NodeKind>

/** A node's id: kept through export and import and across versions. */
export const NodeId = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/,
    'a node id is a letter or _, then letters, digits, _ or -, at most 64'
  )

export const ParameterDefinition = z.strictObject({
  type: z.enum(['boolean', 'integer', 'number', 'text', 'date', 'timestamp']),
  default: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  description: z.string().optional()
})
export type ParameterDefinition = z.infer<typeof ParameterDefinition>
export const Parameters = z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), ParameterDefinition)
export type Parameters = z.infer<typeof Parameters>
export type ParameterValues = Readonly<Record<string, string | number | boolean | null>>

/**
 * A node of a draft: its spec may be unfinished or wrong, which is what problems are for. The strict form is
 * `WorkflowDocument`'s. `x` and `y` are the canvas's, in CSS pixels at zoom 1; without them the canvas lays the node out.
 */
export const GraphNode = z.strictObject({
  id: NodeId,
  kind: NodeKind,
  name: z.string().max(200),
  spec: z.record(z.string(), z.unknown()),
  x: z.number().optional(),
  y: z.number().optional(),
  /** Of a draft alone: rows that stand for what the node would compute. */
  pin: Pin.optional()
})
export type GraphNode = z.infer<typeof GraphNode>

/** `fromPort` defaults to `out`, `toPort` to `in`; `condition` is an expression that a row must meet to pass. */
export const GraphEdge = z.strictObject({
  from: NodeId,
  fromPort: z.string().default('out'),
  to: NodeId,
  toPort: z.string().default('in'),
  condition: z.string().optional()
})
export type GraphEdge = z.infer<typeof GraphEdge>

/** What a workflow version holds: the same as a document, in the lenient form that drafts have. */
export const Graph = z.strictObject({
  parameters: Parameters,
  nodes: z.array(GraphNode),
  edges: z.array(GraphEdge)
})
export type Graph = z.infer<typeof Graph>

export const EMPTY_GRAPH: Graph = { parameters: {}, nodes: [], edges: [] }

/** Edges have no id of their own: two ports are joined once or not at all. */
export const edgeKey = (edge: Pick<GraphEdge, 'from' | 'fromPort' | 'to' | 'toPort'>): string =>
  `${edge.from}.${edge.fromPort}->${edge.to}.${edge.toPort}`
