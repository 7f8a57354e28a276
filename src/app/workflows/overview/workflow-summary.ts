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
         count(v.id) AS versions, l.id AS run_id, l.status AS run_status, l.at AS run_at
    FROM workflows w
    LEFT JOIN workflow_versions v ON v.workflow_id = w.id
    LEFT JOIN last_runs l ON l.workflow_id = w.id AND l.place = 1
   GROUP BY w.id, w.name, w.description, w.updated_at, w.created_at, l.id, l.status, l.at
   ORDER BY updated_at DESC, w.name`

const SummaryRow = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string().nullable(),
  updated_at: z.string(),
  draft: z.number().nullable(),
  active: z.number().nullable(),
  versions: z.number(),
  run_id: z.string().nullable(),
  run_status: z.string().nullable(),
  run_at: z.string().nullable()
})

export const readSummary = (row: Row): WorkflowSummary => {
  const { run_id, run_status, run_at, updated_at, ...facts } = SummaryRow.parse(row)
  const lastRun =
    run_id === null || run_status === null || run_at === null
      ? null
      : { id: run_id, status: run_status, at: run_at }
  return { ...facts, updatedAt: updated_at, lastRun }
}
