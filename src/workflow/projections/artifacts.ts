import type { Projection, RecordedEvent, RowChange } from '../aggregate.ts'
import type { RunEvent } from '../run/events.ts'
import { toNodeRowId } from '../workflow/workflow-state.ts'
import { readRunEvents } from './narrow.ts'

const toArtifactRow = (event: RecordedEvent<Extract<RunEvent, { type: 'ArtifactWritten' }>>) => {
  const { artifactId, stepId, nodeId, workflowVersionId, columns, ...artifact } = event.payload
  const { kind, uri, format, rows, sha256, role, bytes, layout, fileName, key, port, reusedFrom, rowIds } =
    artifact
  return {
    id: artifactId,
    run_id: event.aggregateId,
    node_id: nodeId === null ? null : toNodeRowId(workflowVersionId, nodeId),
    kind,
    uri,
    format,
    schema_json: columns === null ? null : JSON.stringify({ columns }),
    rows,
    stats_json: JSON.stringify({ role, bytes, layout, fileName, stepId, key, port, reusedFrom, rowIds }),
    created_at: event.createdAt,
    sha256
  }
}

const project = (event: RecordedEvent<RunEvent>): readonly RowChange[] => {
  if (event.type === 'ArtifactWritten') {
    return [{ op: 'upsert', table: 'artifacts', rows: [toArtifactRow(event)] }]
  }
  if (event.type !== 'LineageRecorded') return []
  const row = {
    id: event.payload.lineageId,
    run_id: event.aggregateId,
    from_artifact_id: event.payload.fromArtifactId,
    to_artifact_id: event.payload.toArtifactId,
    edge_json: JSON.stringify(event.payload.edge),
    created_at: event.createdAt
  }
  return [{ op: 'upsert', table: 'lineage', rows: [row] }]
}

/**
 * What runs read and wrote, and what came from what. `stats_json` holds `role` (source, result or checkpoint), `bytes`,
 * `stepId`, and where there are any `layout`, `fileName`, `key`, `port`, `reusedFrom` and `rowIds`; `schema_json` holds `columns`.
 */
export const artifactsProjection: Projection = {
  name: 'artifacts',
  version: 1,
  mode: 'inline',
  tables: ['artifacts', 'lineage'],
  hears: ['ArtifactWritten', 'LineageRecorded'],
  project: readRunEvents(project)
}
