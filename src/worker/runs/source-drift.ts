import { z } from 'zod'
import type { DbContext } from '../../db/ports.ts'
import { columnDrift } from '../../workflow/schema/drift.ts'
import { ValueType } from '../../workflow/value-type.ts'
import type { CatalogSource } from '../catalog.ts'

const LastRead = z.object({
  run_id: z.string(),
  file: z.string().nullable(),
  columns: z.string().transform((text, issues) => {
    const parsed = z.array(z.object({ name: z.string(), type: ValueType })).safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data
    issues.addIssue('no columns')
    return z.NEVER
  })
})

/**
 * What the last run of the same workflow that succeeded read at the same node; one that repeats another read what that one
 * had read. Runs are looked at from
 * the newest on until one has read there: the cross joins keep that order, and `coalesce` keeps off the index by status.
 */
const LAST_READ = `
  SELECT a.run_id, a.schema_json ->> '$.columns' AS "columns", a.stats_json ->> '$.fileName' AS "file"
  FROM runs r CROSS JOIN workflow_versions v CROSS JOIN artifacts a
  WHERE coalesce(r.status, '') = 'succeeded' AND r.id <> ?1 AND v.id = r.workflow_version_id
    AND r.input_manifest_json ->> '$.verifies' IS NULL AND r.input_manifest_json ->> '$.replayOf' IS NULL
    AND v.workflow_id = (
          SELECT w.workflow_id FROM runs n JOIN workflow_versions w ON w.id = n.workflow_version_id WHERE n.id = ?1)
    AND a.run_id = r.id AND a.stats_json ->> '$.role' = 'source'
    AND a.node_id = v.id || '/' || ?2 AND a.schema_json IS NOT NULL
  ORDER BY r.started_at DESC, r.rowid DESC LIMIT 1`

export type Drift = {
  readonly nodeId: string
  readonly message: string
  readonly meta: Record<string, unknown>
}

/** How the sources of a run differ from those that the last run read at the same nodes. */
export const sourceDrift = async (
  context: DbContext,
  runId: string,
  sources: ReadonlyMap<string, CatalogSource>
): Promise<readonly Drift[]> => {
  const found: Drift[] = []
  for (const [nodeId, { name, config }] of sources) {
    const [row] = await context.projectionStore.query({ sql: LAST_READ, params: [runId, nodeId] })
    if (row === undefined) continue
    const last = LastRead.parse(row)
    const differences = columnDrift(last.columns, config.prepared.columns)
    if (differences.length === 0) continue
    const other = last.file === null || last.file === config.fileName ? undefined : last.file
    const compared = other === undefined ? 'the last run read it' : `${other}, which the last run read here`
    const message = `${name} is not as ${compared}: ${differences.join('; ')}.`
    found.push({ nodeId, message, meta: { drift: differences, nodeId, lastRunId: last.run_id } })
  }
  return found
}
