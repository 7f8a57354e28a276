import { z } from 'zod'
import type { GraphChange } from '../../../workflow/change.ts'
import { type Graph, GraphEdge, GraphNode } from '../../../workflow/graph.ts'
import { withoutPins } from '../../../workflow/pinning.ts'
import { freshName, freshNodeId } from './fresh-names.ts'
import { positionsOf } from './layout.ts'

/** What a copied selection looks like on the clipboard: JSON that another workflow can take. */
const ClipboardGraph = z.strictObject({
  format: z.literal('flowforge.selection/1'),
  nodes: z.array(GraphNode).min(1),
  edges: z.array(GraphEdge)
})
type ClipboardGraph = z.infer<typeof ClipboardGraph>

const PASTE_OFFSET = 32

/** The nodes and the edges between them, as text. */
export const copySelection = (graph: Graph, nodeIds: ReadonlySet<string>): string => {
  const positions = positionsOf(graph)
  const selection: ClipboardGraph = {
    format: 'flowforge.selection/1',
    // Pinned rows are of this draft's node, and of this machine.
    nodes: withoutPins(graph)
      .nodes.filter(({ id }) => nodeIds.has(id))
      .map((node) => ({ ...node, ...positions.get(node.id) })),
    edges: graph.edges.filter(({ from, to }) => nodeIds.has(from) && nodeIds.has(to))
  }
  return JSON.stringify(selection, null, 2)
}

/** The selection that a text holds, or null where it holds none. */
export const parseSelection = (text: string): ClipboardGraph | null => {
  try {
    return ClipboardGraph.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null // Not JSON: the clipboard holds something else, which is no error of a person's.
  }
}

/** Changes that add a copied selection with ids and names of its own, beside where it stood; and the new nodes' ids. */
export const pasteChanges = (
  graph: Graph,
  selection: ClipboardGraph
): { readonly changes: GraphChange[]; readonly nodeIds: ReadonlySet<string> } => {
  const takenIds = new Set(graph.nodes.map(({ id }) => id))
  const takenNames = new Set(graph.nodes.map(({ name }) => name))
  const newIds = new Map<string, string>()
  const nodes = selection.nodes.map((node): GraphChange => {
    const name = freshName(node.name, takenNames)
    const id = freshNodeId(name, takenIds)
    takenNames.add(name)
    takenIds.add(id)
    newIds.set(node.id, id)
    const place =
      node.x === undefined || node.y === undefined
        ? {}
        : { x: node.x + PASTE_OFFSET, y: node.y + PASTE_OFFSET }
    return { type: 'add-node', node: { ...node, id, name, ...place } }
  })
  const edges = selection.edges.flatMap((edge): GraphChange[] => {
    const from = newIds.get(edge.from)
    const to = newIds.get(edge.to)
    return from === undefined || to === undefined ? [] : [{ type: 'add-edge', edge: { ...edge, from, to } }]
  })
  return { changes: [...nodes, ...edges], nodeIds: new Set(newIds.values()) }
}
