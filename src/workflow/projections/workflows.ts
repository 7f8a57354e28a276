import type { Projection, RecordedEvent, RowChange } from '../aggregate.ts'
import { EMPTY_GRAPH, type Graph } from '../graph.ts'
import { workflowEvents, type WorkflowEvent } from '../workflow/events.ts'
import { toVersionId } from '../workflow/workflow-state.ts'
import { toGraphRows, toRowChanges } from './graph-rows.ts'
import { readWorkflowEvents } from './narrow.ts'

type Recorded = RecordedEvent<WorkflowEvent>

const touch = ({ aggregateId, createdAt }: Recorded, set: Record<string, unknown> = {}): RowChange => ({
  op: 'update',
  table: 'workflows',
  where: { id: aggregateId },
  set: { ...set, updated_at: createdAt }
})

const draft = ({ aggregateId, createdAt }: Recorded, version: number, graph: Graph): RowChange[] => {
  const id = toVersionId(aggregateId, version)
  return [
    {
      op: 'upsert',
      table: 'workflow_versions',
      rows: [
        {
          id,
          workflow_id: aggregateId,
          version,
          status: 'draft',
          created_at: createdAt,
          activated_at: null
        }
      ]
    },
    ...toGraphRows(id, graph, createdAt)
  ]
}

const setVersion = (event: Recorded, version: number, set: Record<string, unknown>): RowChange => ({
  op: 'update',
  table: 'workflow_versions',
  where: { id: toVersionId(event.aggregateId, version) },
  set
})

const remove = ({ aggregateId }: Recorded, versions: readonly number[]): RowChange[] => [
  ...versions.flatMap((version): RowChange[] => {
    const where = { workflow_version_id: toVersionId(aggregateId, version) }
    return [
      { op: 'remove', table: 'edges', where },
      { op: 'remove', table: 'nodes', where }
    ]
  }),
  { op: 'remove', table: 'workflow_versions', where: { workflow_id: aggregateId } },
  { op: 'remove', table: 'workflows', where: { id: aggregateId } }
]

const read = (event: Recorded): readonly RowChange[] => {
  const { aggregateId, createdAt } = event
  switch (event.type) {
    case 'WorkflowCreated': {
      const { name, description = null, graph = EMPTY_GRAPH } = event.payload
      const row = { id: aggregateId, name, description, created_at: createdAt, updated_at: createdAt }
      return [{ op: 'upsert', table: 'workflows', rows: [row] }, ...draft(event, 1, graph)]
    }
    case 'WorkflowDescribed':
      return [touch(event, event.payload)]
    case 'DraftEdited': {
      const versionId = toVersionId(aggregateId, event.payload.version)
      const rows = event.payload.changes.flatMap((change) => toRowChanges(versionId, change, createdAt))
      return [...rows, touch(event)]
    }
    case 'DraftStarted':
      return [...draft(event, event.payload.version, event.payload.graph), touch(event)]
    case 'WorkflowPublished': {
      const { version, archived } = event.payload
      return [
        // First, because at most one version of a workflow is active at any moment.
        ...(archived === null ? [] : [setVersion(event, archived, { status: 'archived' })]),
        setVersion(event, version, { status: 'active', activated_at: createdAt }),
        touch(event)
      ]
    }
    case 'WorkflowRemoved':
      return remove(event, event.payload.versions)
  }
}

/** Workflows, their versions and the graph of each. */
export const workflowsProjection: Projection = {
  name: 'workflows',
  version: 1,
  mode: 'inline',
  tables: ['workflows', 'workflow_versions', 'nodes', 'edges'],
  hears: Object.keys(workflowEvents),
  project: readWorkflowEvents(read)
}
