import type { RowChange } from '../aggregate.ts'
import type { GraphChange } from '../change.ts'
import { edgeKey, type Graph, type GraphEdge, type GraphNode } from '../graph.ts'
import { toNodeRowId } from '../workflow/workflow-state.ts'

const toNodeRow = (versionId: string, node: GraphNode, createdAt: string) => ({
  id: toNodeRowId(versionId, node.id),
  workflow_version_id: versionId,
  key: node.id,
  kind: node.kind,
  name: node.name,
  spec_json: JSON.stringify(node.spec),
  created_at: createdAt,
  x: node.x ?? null,
  y: node.y ?? null
})

const toEdgeRowId = (versionId: string, edge: Parameters<typeof edgeKey>[0]): string =>
  `${versionId}/${edgeKey(edge)}`

const toConditionJson = (condition: string | undefined): string | null =>
  condition === undefined ? null : JSON.stringify(condition)

const toEdgeRow = (versionId: string, edge: GraphEdge, createdAt: string) => ({
  id: toEdgeRowId(versionId, edge),
  workflow_version_id: versionId,
  from_node_id: toNodeRowId(versionId, edge.from),
  to_node_id: toNodeRowId(versionId, edge.to),
  condition_json: toConditionJson(edge.condition),
  created_at: createdAt,
  from_port: edge.fromPort,
  to_port: edge.toPort
})

/** The rows of a whole graph; nodes before the edges that refer to them. */
export const toGraphRows = (versionId: string, graph: Graph, createdAt: string): RowChange[] => [
  {
    op: 'upsert',
    table: 'nodes',
    rows: graph.nodes.map((node) => toNodeRow(versionId, node, createdAt))
  },
  {
    op: 'upsert',
    table: 'edges',
    rows: graph.edges.map((edge) => toEdgeRow(versionId, edge, createdAt))
  }
]

const updateNode = (versionId: string, nodeId: string, set: Record<string, unknown>): RowChange[] => [
  { op: 'update', table: 'nodes', where: { id: toNodeRowId(versionId, nodeId) }, set }
]

/** What one change of a draft changes in its rows. Parameters and pins have no rows; they are in the log alone. */
export const toRowChanges = (versionId: string, change: GraphChange, createdAt: string): RowChange[] => {
  switch (change.type) {
    case 'add-node':
      return [{ op: 'upsert', table: 'nodes', rows: [toNodeRow(versionId, change.node, createdAt)] }]
    case 'remove-node':
      return [{ op: 'remove', table: 'nodes', where: { id: toNodeRowId(versionId, change.nodeId) } }]
    case 'rename-node':
      return updateNode(versionId, change.nodeId, { name: change.name })
    case 'set-spec':
      return updateNode(versionId, change.nodeId, { spec_json: JSON.stringify(change.spec) })
    case 'move-node':
      return updateNode(versionId, change.nodeId, { x: change.x ?? null, y: change.y ?? null })
    case 'add-edge':
      return [{ op: 'upsert', table: 'edges', rows: [toEdgeRow(versionId, change.edge, createdAt)] }]
    case 'remove-edge':
      return [{ op: 'remove', table: 'edges', where: { id: toEdgeRowId(versionId, change.edge) } }]
    case 'set-condition':
      return [
        {
          op: 'update',
          table: 'edges',
          where: { id: toEdgeRowId(versionId, change.edge) },
          set: { condition_json: toConditionJson(change.condition) }
        }
      ]
    case 'set-pin':
    case 'set-parameter':
    case 'remove-parameter':
      return []
  }
}
