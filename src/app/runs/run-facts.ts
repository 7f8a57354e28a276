import { z } from 'zod'
import type { Row } from '../../worker/api.ts'
import { Graph, NodeKind } from '../../workflow/graph.ts'
import {
  LineageEdge as EdgeColumns,
  type LineageEdge as ColumnsOfEdge
} from '../../workflow/lineage/lineage-edge.ts'
import { ValueType } from '../../workflow/value-type.ts'

const json = (text: string | null): unknown => (text === null ? {} : JSON.parse(text))

/** Runs with the name of their workflow, which they outlive: the manifest then remembers it. */
export const RUNS_SQL = `
  SELECT r.id, r.status, r.trigger, r.created_at, r.started_at, r.finished_at, r.error_json,
         coalesce(w.name, r.input_manifest_json ->> '$.workflowName') AS workflow_name,
         coalesce(v.version, CAST(r.input_manifest_json ->> '$.version' AS INTEGER)) AS version,
         w.id AS workflow_id, r.input_manifest_json ->> '$.verifies' AS verifies,
         r.input_manifest_json ->> '$.retryOf' AS retry_of,
         CAST(r.input_manifest_json ->> '$.memoryBudget' AS DOUBLE) AS memory_budget,
         r.input_manifest_json ->> '$.options.rowIds' AS row_ids
  FROM runs r
  LEFT JOIN workflow_versions v ON v.id = r.workflow_version_id
  LEFT JOIN workflows w ON w.id = v.workflow_id`

const RunRow = z.object({
  id: z.string(),
  status: z.string(),
  trigger: z.string(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  error_json: z.string().nullable(),
  workflow_name: z.string().nullable(),
  version: z.number().nullable(),
  workflow_id: z.string().nullable(),
  verifies: z.string().nullable(),
  retry_of: z.string().nullable(),
  memory_budget: z.number().nullable(),
  // JSON's true, in the words of either engine.
  row_ids: z.union([z.number(), z.string()]).nullable()
})
const RunError = z.object({ message: z.string().optional(), nodeId: z.string().nullish() })

export type RunFacts = {
  readonly id: string
  readonly status: string
  readonly trigger: string
  readonly createdAt: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly error: { readonly message: string; readonly nodeId: string | null } | null
  readonly workflowName: string
  readonly version: number | null
  /** Null when the workflow is gone. */
  readonly workflowId: string | null
  /** The run that this one repeats, to see whether the same comes out. */
  readonly verifies: string | null
  /** The run that this one is another attempt of. */
  readonly retryOf: string | null
  /** Bytes that the engine was allowed; null where the run never started. */
  readonly memoryBudget: number | null
  /** Does it keep which rows of the sources the rows of its tables came from? */
  readonly keepsRowIds: boolean
}

export const toRunFacts = (row: Row): RunFacts => {
  const run = RunRow.parse(row)
  const error = RunError.safeParse(json(run.error_json)).data
  return {
    id: run.id,
    status: run.status,
    trigger: run.trigger,
    createdAt: run.created_at,
    startedAt: run.started_at,
    finishedAt: run.finished_at,
    error: error?.message === undefined ? null : { message: error.message, nodeId: error.nodeId ?? null },
    workflowName: run.workflow_name ?? 'A workflow that is gone',
    version: run.version,
    workflowId: run.workflow_id,
    verifies: run.verifies,
    retryOf: run.retry_of,
    memoryBudget: run.memory_budget,
    keepsRowIds: ['1', 'true'].includes(String(run.row_ids))
  }
}

export const isUnderWay = ({ status }: Pick<RunFacts, 'status'>): boolean =>
  status === 'queued' || status === 'running'

const triggers: Readonly<Record<string, string>> = {
  manual: 'By hand',
  schedule: 'On schedule',
  api: 'By a script',
  test: 'As a test'
}
export const triggerWord = (trigger: string): string => triggers[trigger] ?? trigger

/** From start to end in ms, to `now` while it goes on, null before it starts. */
export const durationMs = (
  { startedAt, finishedAt }: Pick<RunFacts, 'startedAt' | 'finishedAt'>,
  now: Date
): number | null =>
  startedAt === null
    ? null
    : Math.max(0, (finishedAt === null ? now.getTime() : Date.parse(finishedAt)) - Date.parse(startedAt))

// ── Steps, logs, artifacts, lineage of one run ──────────────────────────────────────────────────────────────────────

const nodeKey = (rowId: string): string => rowId.slice(rowId.lastIndexOf('/') + 1)

export const STEPS_SQL = `
  SELECT id, node_id, status, stats_json, started_at, finished_at FROM run_steps
  WHERE run_id = ? ORDER BY started_at IS NULL, started_at, rowid`

const StepRow = z.object({
  id: z.string(),
  node_id: z.string(),
  status: z.string(),
  stats_json: z.string().nullable(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable()
})
const StepStats = z.object({
  name: z.string().optional(),
  kind: NodeKind.optional(),
  rowsIn: z.number().nullish(),
  rowsOut: z.number().nullish(),
  reason: z.string().optional(),
  reused: z.object({ runId: z.string() }).optional(),
  memoryBytes: z.number().optional(),
  rejected: z.number().optional(),
  error: z.object({ message: z.string() }).optional()
})
export type RunStep = ReturnType<typeof toRunStep>
export const toRunStep = (row: Row) => {
  const step = StepRow.parse(row)
  const stats = StepStats.parse(json(step.stats_json))
  const nodeId = nodeKey(step.node_id)
  return {
    id: step.id,
    nodeId,
    name: stats.name ?? nodeId,
    kind: stats.kind ?? null,
    status: step.status,
    startedAt: step.started_at,
    finishedAt: step.finished_at,
    rowsIn: stats.rowsIn ?? null,
    rowsOut: stats.rowsOut ?? null,
    /** The run whose rows stand for this step's. */
    reusedFrom: stats.reused?.runId ?? null,
    memoryBytes: stats.memoryBytes ?? null,
    /** Rows that left by `rejected` because an expression failed for them. */
    rejected: stats.rejected ?? 0,
    note: stats.error?.message ?? stats.reason ?? null
  } as const
}

export const LOGS_SQL = `
  SELECT l.id, l.level, l.message, l.ts, s.stats_json ->> '$.name' AS step_name
  FROM run_logs l LEFT JOIN run_steps s ON s.id = l.run_step_id
  WHERE l.run_id = ? ORDER BY l.ts, l.rowid LIMIT 5000`

const LogRow = z
  .object({
    id: z.string(),
    level: z.string(),
    message: z.string(),
    ts: z.string(),
    step_name: z.string().nullable()
  })
  .readonly()
export type RunLog = z.infer<typeof LogRow>
export const toRunLog = (row: Row): RunLog => LogRow.parse(row)

export const ARTIFACTS_SQL = `
  SELECT a.id, a.node_id, a.kind, a.format, a.schema_json, a.rows, a.stats_json, a.sha256,
         s.stats_json ->> '$.name' AS step_name
  FROM artifacts a LEFT JOIN run_steps s ON s.run_id = a.run_id AND s.node_id = a.node_id
  WHERE a.run_id = ? ORDER BY a.created_at, a.rowid`

const ArtifactRow = z.object({
  id: z.string(),
  node_id: z.string().nullable(),
  kind: z.string(),
  format: z.string().nullable(),
  schema_json: z.string().nullable(),
  rows: z.number().nullable(),
  stats_json: z.string().nullable(),
  sha256: z.string().nullable(),
  step_name: z.string().nullable()
})
const ArtifactSchema = z.object({
  columns: z.array(z.object({ name: z.string(), type: ValueType })).default([])
})
const ArtifactStats = z.object({
  role: z.string().optional(),
  bytes: z.number().optional(),
  fileName: z.string().optional()
})
const ROLES = ['source', 'result', 'checkpoint'] as const
export type RunArtifact = ReturnType<typeof toRunArtifact>
export const toRunArtifact = (row: Row) => {
  const artifact = ArtifactRow.parse(row)
  const stats = ArtifactStats.parse(json(artifact.stats_json))
  const nodeId = artifact.node_id === null ? null : nodeKey(artifact.node_id)
  return {
    id: artifact.id,
    nodeId,
    stepName: artifact.step_name ?? nodeId ?? 'Result',
    kind: artifact.kind,
    format: artifact.format,
    columns: ArtifactSchema.parse(json(artifact.schema_json)).columns,
    rows: artifact.rows,
    bytes: stats.bytes ?? null,
    fileName: stats.fileName ?? null,
    sha256: artifact.sha256,
    /** Did the run read it, write it, or keep it in passing? */
    role: ROLES.find((role) => role === stats.role) ?? 'result'
  } as const
}

export const LINEAGE_SQL = 'SELECT from_artifact_id, to_artifact_id, edge_json FROM lineage WHERE run_id = ?'
const LineageRow = z.object({
  from_artifact_id: z.string(),
  to_artifact_id: z.string(),
  edge_json: z.string().nullish()
})
export type LineageEdge = {
  readonly from: string
  readonly to: string
  readonly columns: NonNullable<ColumnsOfEdge['columns']>
  /** Columns that decide which rows there are, and their order. */
  readonly rows: NonNullable<ColumnsOfEdge['rows']>
}
export const toLineageEdge = (row: Row): LineageEdge => {
  const edge = LineageRow.parse(row)
  const { columns = [], rows = [] } = EdgeColumns.parse(json(edge.edge_json ?? null))
  return { from: edge.from_artifact_id, to: edge.to_artifact_id, columns, rows }
}

/** The graph as the run had it; what is not on record, or of another form, is null. */
export const GRAPH_SQL = `SELECT input_manifest_json -> '$.graph' AS graph FROM runs WHERE id = ?`
export const toRunGraph = (row: Row): Graph | null => {
  const text = row['graph']
  return typeof text === 'string' ? (Graph.safeParse(JSON.parse(text)).data ?? null) : null
}
