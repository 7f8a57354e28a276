import { z } from 'zod'
import { GraphEdge, GraphNode, NodeId, ParameterDefinition } from './graph.ts'
import { Pin } from './pin.ts'

/**
 * One change of a draft's graph. What a person does at once (paste, delete a node with its edges, lay out) is a list
 * of changes: one event, one undo.
 */
export const GraphChange = z.discriminatedUnion('type', [
  /** `at` is its place among the nodes; without it, the end. Undoing a removal needs it. */
  z.strictObject({ type: z.literal('add-node'), node: GraphNode, at: z.int().min(0).optional() }),
  /** Its edges must be removed in the same list, before it. */
  z.strictObject({ type: z.literal('remove-node'), nodeId: NodeId }),
  z.strictObject({ type: z.literal('rename-node'), nodeId: NodeId, name: z.string().max(200) }),
  z.strictObject({ type: z.literal('set-spec'), nodeId: NodeId, spec: z.record(z.string(), z.unknown()) }),
  /** Without `x` and `y` the canvas lays the node out again. */
  z.strictObject({
    type: z.literal('move-node'),
    nodeId: NodeId,
    x: z.number().optional(),
    y: z.number().optional()
  }),
  /** Without `pin` the node is computed again. */
  z.strictObject({ type: z.literal('set-pin'), nodeId: NodeId, pin: Pin.optional() }),
  z.strictObject({ type: z.literal('add-edge'), edge: GraphEdge, at: z.int().min(0).optional() }),
  z.strictObject({ type: z.literal('remove-edge'), edge: GraphEdge.omit({ condition: true }) }),
  z.strictObject({
    type: z.literal('set-condition'),
    edge: GraphEdge.omit({ condition: true }),
    condition: z.string().optional()
  }),
  z.strictObject({ type: z.literal('set-parameter'), name: z.string(), definition: ParameterDefinition }),
  z.strictObject({ type: z.literal('remove-parameter'), name: z.string() })
])
export type GraphChange = z.infer<typeof GraphChange>
