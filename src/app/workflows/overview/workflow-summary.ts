import { z } from 'zod'
import type { Row } from '../../../worker/api.ts'

/** A workflow as the list shows it. */
export type WorkflowSummary = {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly updatedAt: string
  readonly draft: number | null
  readonly active: number | null
  readonly versions: number
  /** Of all its runs, and how long those that succeeded took, in ms; null before its first run. */
  readonly activity: {
    readonly runs: number
    readonly succeeded: number
    readonly failed: number
    readonly medianMs: number | null
    readonly lastSuccessAt: string | null
  } | null
  readonly lastRun: { readonly id: string; readonly status: string; readonly at: string } | null
}

export const WORKFLOW_SUMMARIES = `
  WITH last_runs AS (
    SELECT v.workflow_id, r.id, r.status, coalesce(r.finished_at, r.started_at, r.created_at) AS at,
           row_number() OVER (PARTITION BY v.workflow_id ORDER BY r.created_at DESC, r.rowid DESC) AS place
      FROM runs r JOIN workflow_versions v ON v.id = r.workflow_version_id
  )
  SELECT w.id, w.name, w.description, coalesce(w.updated_at, w.created_at) AS updated_at,
         max(CASE v.status WHEN 'draft' THEN v.version END) AS draft,
         max(CASE v.status WHEN 'active' THEN v.version END) AS active,
         count(v.id) AS versions, a.runs, a.succeeded, a.failed, a.median_ms, a.last_success_at,
         l.id AS run_id, l.status AS run_status, l.at AS run_at
    FROM workflows w
    LEFT JOIN workflow_versions v ON v.workflow_id = w.id
    LEFT JOIN last_runs l ON l.workflow_id = w.id AND l.place = 1
    LEFT JOIN workflow_activity a ON a.workflow_id = w.id
   GROUP BY w.id, w.name, w.description, w.updated_at, w.created_at, l.id, l.status, l.at,
            a.runs, a.succeeded, a.failed, a.median_ms, a.last_success_at
   ORDER BY updated_at DESC, w.name`

const SummaryRow = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  updated_at: z.string(),
  draft: z.number().nullable(),
  active: z.number().nullable(),
  versions: z.number(),
  runs: z.number().nullable(),
  succeeded: z.number().nullable(),
  failed: z.number().nullable(),
  median_ms: z.number().nullable(),
  last_success_at: z.string().nullable(),
  run_id: z.string().nullable(),
  run_status: z.string().nullable(),
  run_at: z.string().nullable()
})

export const readSummary = (row: Row): WorkflowSummary => {
  const {
    run_id,
    run_status,
    run_at,
    updated_at,
    runs,
    succeeded,
    failed,
    median_ms,
    last_success_at,
    ...facts
  } = SummaryRow.parse(row)
  const activity =
    runs === null || succeeded === null || failed === null
      ? null
      : { runs, succeeded, failed, medianMs: median_ms, lastSuccessAt: last_success_at }
  const lastRun =
    run_id === null || run_status === null || run_at === null
      ? null
      : { id: run_id, status: run_status, at: run_at }
  return { ...facts, updatedAt: updated_at, activity, lastRun }
}
