import { z } from 'zod'
import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { LineageEdge } from '../workflow/lineage/lineage-edge.ts'
import { toOpenLineage, type LineageArtifact } from '../workflow/lineage/open-lineage.ts'
import { toSinkDataset } from '../workflow/nodes/sink.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'

const fromJson = <S extends z.ZodType>(schema: S) =>
  z
    .string()
    .nullable()
    .transform((text): unknown => (text === null ? {} : JSON.parse(text)))
    .pipe(schema)

const RunRow = z.object({
  status: z.enum(['queued', 'running', 'succeeded', 'failed', 'canceled']),
  created_at: z.string(),
  started_at: z.string().nullable(),
  finished_at: z.string().nullable(),
  input_manifest_json: fromJson(
    z.object({
      workflowName: z.string().default('workflow'),
      verifies: z.string().optional(),
      replayOf: z.string().optional(),
      graph: z
        .object({ nodes: z.array(z.object({ id: z.string(), kind: z.string(), spec: z.unknown() })) })
        .optional()
    })
  ),
  error_json: fromJson(z.object({ message: z.string().optional() }))
})
const ArtifactRow = z.object({
  id: z.string(),
  node_id: z.string().nullable(),
  sha256: z.string().nullable(),
  schema_json: fromJson(
    z.object({ columns: z.array(z.object({ name: z.string(), engineType: z.string() })).default([]) })
  ),
  stats_json: fromJson(
    z.object({
      role: z.enum(['source', 'result', 'checkpoint']).default('result'),
      fileName: z.string().optional()
    })
  )
})
const LineageRow = z.object({
  from_artifact_id: z.string(),
  to_artifact_id: z.string(),
  edge_json: fromJson(LineageEdge)
})

/** The datasets that a run wrote, by the node: what fails writes none, and neither does what repeats another run. */
const datasetsOf = ({
  status,
  input_manifest_json: { graph, verifies, replayOf }
}: z.infer<typeof RunRow>): ReadonlyMap<string, string> => {
  if (status !== 'succeeded' || verifies !== undefined || replayOf !== undefined) return new Map()
  return new Map(
    (graph?.nodes ?? []).flatMap(({ id, kind, spec }) => {
      const dataset = kind === 'sink' ? toSinkDataset(spec) : undefined
      return dataset === undefined ? [] : [[id, dataset.name] as const]
    })
  )
}

export const createLineageHandlers = ({
  projectionStore
}: Pick<DbContext, 'projectionStore'>): FlowForgeApi['lineage'] => ({
  openLineage: handler('lineage.openLineage', flowForgeInputs.lineage.openLineage, async ({ runId }) => {
    const all = (sql: string) => projectionStore.query({ sql, params: [runId] })
    const [row] = await all('SELECT * FROM runs WHERE id = ?')
    if (row === undefined) throw new FlowForgeError('NOT_FOUND', 'There is no such run.', { runId })
    const run = RunRow.parse(row)
    const datasets = datasetsOf(run)
    const artifacts = await all('SELECT * FROM artifacts WHERE run_id = ? ORDER BY created_at, rowid')
    const links = await all('SELECT * FROM lineage WHERE run_id = ? ORDER BY rowid')
    return toOpenLineage(
      {
        runId,
        workflowName: run.input_manifest_json.workflowName,
        status: run.status,
        startedAt: run.started_at ?? run.created_at,
        finishedAt: run.finished_at,
        error: run.error_json.message ?? null
      },
      artifacts.flatMap((each): LineageArtifact[] => {
        const { id, node_id: rowId, sha256, schema_json: schema, stats_json: stats } = ArtifactRow.parse(each)
        // What a run keeps only to go on from says nothing to others.
        if (stats.role === 'checkpoint') return []
        const nodeId = rowId?.slice(rowId.lastIndexOf('/') + 1) ?? id
        return [
          {
            id,
            role: stats.role,
            fileName: stats.fileName ?? null,
            nodeId,
            dataset: datasets.get(nodeId),
            columns: schema.columns,
            sha256: sha256 ?? ''
          }
        ]
      }),
      links.map((each) => {
        const link = LineageRow.parse(each)
        return { from: link.from_artifact_id, to: link.to_artifact_id, edge: link.edge_json }
      })
    )
  })
})
