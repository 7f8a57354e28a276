import { z } from 'zod'
import type { DbContext } from '../../db/ports.ts'
import type { SentRequest } from '../api.ts'
import { bodyText } from './answer-rows.ts'
import { RECORD_SCOPE } from './request-record.ts'

const Headers = z.record(z.string(), z.string())
/** Rows that others wrote may hold less. */
const Request = z.object({
  method: z.string().catch('GET'),
  url: z.string().catch(''),
  headers: Headers.catch({}),
  body: z.string().nullable().catch(null),
  nodeId: z.string().optional(),
  attempt: z.number().catch(1)
})
const Response = z.object({
  headers: Headers.catch({}),
  contentType: z.string().nullable().catch(null),
  size: z.number().nullable().catch(null),
  blob: z.string().nullable().catch(null),
  error: z.object({ kind: z.string(), message: z.string() }).optional()
})
const ExecutionRow = z.object({
  id: z.string(),
  run_id: z.string().nullable(),
  node_id: z.string().nullable(),
  data_source_id: z.string().nullable(),
  purpose: z.enum(['step', 'source', 'probe']),
  request_json: z.string(),
  response_json: z.string().nullable(),
  status_code: z.number().nullable(),
  duration_ms: z.number().nullable(),
  ts: z.string()
})

/** An attempt as `request_executions` keeps it. */
export type Kept = {
  readonly sent: SentRequest
  readonly request: z.infer<typeof Request>
  readonly response: z.infer<typeof Response> | null
}

const NO_ANSWER = {
  kind: 'sent',
  message: 'No answer was seen. It is under way, or FlowForge was closed before it came.'
}

export const toKeptExecution = (raw: unknown): Kept => {
  const row = ExecutionRow.parse(raw)
  const request = Request.parse(JSON.parse(row.request_json))
  const response = row.response_json === null ? null : Response.parse(JSON.parse(row.response_json))
  return {
    request,
    response,
    sent: {
      requestId: row.id,
      runId: row.run_id,
      nodeId: request.nodeId ?? row.node_id?.slice(row.node_id.lastIndexOf('/') + 1) ?? null,
      dataSourceId: row.data_source_id,
      purpose: row.purpose,
      method: request.method,
      url: request.url,
      attempt: request.attempt,
      status: row.status_code,
      size: response?.size ?? null,
      ms: row.duration_ms,
      at: row.ts,
      failure: response === null ? NO_ANSWER : (response.error ?? null)
    }
  }
}

export type Which = {
  readonly runId?: string | undefined
  readonly nodeId?: string | undefined
  readonly dataSourceId?: string | undefined
  readonly failed?: boolean | undefined
}

/** Attempts of steps, and what left for no step; the record's keys begin with its scope, which an index can use. */
const SENT = `
  SELECT q.id, s.run_id, coalesce(s.node_id, s.id) AS node_id, NULL AS data_source_id, 'step' AS purpose, q.request_json,
         q.response_json, q.status_code, q.duration_ms, q.ts, q.rowid AS nth
  FROM request_executions q JOIN run_steps s ON s.id = q.run_step_id
  UNION ALL
  SELECT key, result_json ->> '$.runId', NULL, result_json ->> '$.dataSourceId', result_json ->> '$.purpose',
         result_json -> '$.request', result_json -> '$.response', result_json ->> '$.status', result_json ->> '$.ms',
         first_seen_at, rowid
  FROM idempotency_keys WHERE key >= '${RECORD_SCOPE}:' AND key < '${RECORD_SCOPE};' AND scope = '${RECORD_SCOPE}'`
const FROM = `FROM (${SENT}) q
  WHERE (?1 IS NULL OR q.run_id = ?1) AND (?2 IS NULL OR q.request_json ->> '$.nodeId' = ?2)
  AND (?3 = 0 OR q.response_json IS NULL OR q.response_json ->> '$.error' IS NOT NULL OR q.status_code >= 400)
  AND (?4 IS NULL OR q.data_source_id = ?4)`
const whichParams = ({ runId, nodeId, failed, dataSourceId }: Which) => [
  runId ?? null,
  nodeId ?? null,
  failed === true ? 1 : 0,
  dataSourceId ?? null
]

export const findSent = async (
  context: DbContext,
  which: Which,
  page: { offset: number; limit: number; order: 'ASC' | 'DESC' }
): Promise<Kept[]> => {
  const sql = `SELECT * ${FROM} ORDER BY q.ts ${page.order}, q.nth ${page.order} LIMIT ?5 OFFSET ?6`
  const params = [...whichParams(which), page.limit, page.offset]
  return (await context.projectionStore.query({ sql, params })).map(toKeptExecution)
}

export const countSent = async (context: DbContext, which: Which): Promise<number> => {
  const [row] = await context.projectionStore.query({
    sql: `SELECT count(*) AS n ${FROM}`,
    params: whichParams(which)
  })
  return Number(row?.['n'])
}

export const findOne = async (context: DbContext, requestId: string): Promise<Kept | undefined> => {
  const sql = `SELECT * FROM (${SENT}) q WHERE q.id = ?`
  const [row] = await context.projectionStore.query({ sql, params: [requestId] })
  return row === undefined ? undefined : toKeptExecution(row)
}

const TEXTUAL = /^(text\/|application\/(.*\+)?(json|xml|x-ndjson|javascript|x-www-form-urlencoded))/i

/** An answer's text; null where there is none or it is no text. */
export const answerText = async (context: DbContext, { response }: Kept): Promise<string | null> => {
  if (response?.blob == null) return null
  const { contentType } = response
  if (contentType !== null && !TEXTUAL.test(contentType)) return null
  const stored = await context.blobStore.get({ key: response.blob })
  if (stored === null) return null
  try {
    return bodyText({ bytes: stored.data, contentType })
  } catch {
    // Of another charset than it says, or no text at all.
    return null
  }
}
