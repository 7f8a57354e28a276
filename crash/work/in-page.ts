/** What the page is asked to do. Each function is sent to it as text: it may use nothing but its argument. */
import type { documentFor } from './people-work.ts'

/** Imports a workbook, which comes as base64, and starts the workflow over it. */
export const startWork = async (given: {
  fileName: string
  base64: string
  document: ReturnType<typeof documentFor>
}): Promise<{ runId: string; importMs: number }> => {
  const { sources, workflows, runs } = window.flowforge
  const bytes = Uint8Array.from(atob(given.base64), (letter) => letter.charCodeAt(0))
  const began = performance.now()
  await sources.importFile({ file: new File([bytes], given.fileName) })
  const importMs = performance.now() - began
  const { workflowId } = await workflows.import(given.document)
  return { runId: (await runs.start({ workflowId })).runId, importMs }
}

export const opened = async (): Promise<void> => {
  await window.flowforge.status()
}

export const statusOf = async (runId: string): Promise<string> => {
  const [row] = await window.db.queryProjection({
    sql: 'SELECT status FROM runs WHERE id = ?',
    params: [runId]
  })
  return String(row?.['status'])
}

export const resume = (runId: string): Promise<void> => window.flowforge.runs.resume({ runId })

/** Why a run failed; null where it says nothing. */
export const failureOf = async (runId: string): Promise<string | null> => {
  const sql = `SELECT message FROM run_logs WHERE run_id = ? AND level = 'error' ORDER BY ts DESC LIMIT 1`
  const [row] = await window.db.queryProjection({ sql, params: [runId] })
  return typeof row?.['message'] === 'string' ? row['message'] : null
}

/** By person, how many requests the ledger calls confirmed. */
export const confirmedPeople = async (): Promise<[person: number, times: number][]> => {
  const sql = `SELECT url, count(*) AS times FROM (
      SELECT DISTINCT q.request_json ->> '$.url' AS url, k.key AS key FROM request_executions q
      JOIN idempotency_keys k ON k.key = q.request_json ->> '$.key' WHERE k.result_json ->> '$.state' = 'confirmed')
    GROUP BY url`
  const rows = await window.db.queryProjection({ sql })
  return rows.map(({ url, times }) => [Number(String(url).split('/').at(-1)), Number(times)])
}

/** By person, how many attempts are on record, and how many of them as answered. */
export const attempts = async (): Promise<[person: number, sent: number, answered: number][]> => {
  const sql = `SELECT request_json ->> '$.url' AS url, count(*) AS sent, count(*) FILTER (WHERE status_code = 200) AS answered
    FROM request_executions GROUP BY url`
  const rows = await window.db.queryProjection({ sql })
  return rows.map(({ url, sent, answered }) => [
    Number(String(url).split('/').at(-1)),
    Number(sent),
    Number(answered)
  ])
}

/** SHA-256 of each file that a run wrote, by its name. */
export const writtenFiles = async (runId: string): Promise<[name: string, sha256: string][]> => {
  const sql = `SELECT stats_json ->> '$.fileName' AS name, sha256 FROM artifacts WHERE run_id = ? AND kind = 'file'`
  const rows = await window.db.queryProjection({ sql, params: [runId] })
  return rows.map(({ name, sha256 }) => [String(name), String(sha256)])
}
