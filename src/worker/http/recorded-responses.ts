import { z } from 'zod'
import type { DbContext } from '../../db/ports.ts'
import type { RecordedResponse } from '../../workflow/explain/explanation.ts'
import type { FindResponses } from '../../workflow/explain/responses.ts'
import type { Recorded } from './ask.ts'

/** Remembers where in the ledger a replay finds its answers, and which attempts brought them. */
export type RecordedResponses = {
  readonly note: (recorded: Recorded) => void
  readonly find: FindResponses
}

/** Attempts that a run's step sent, by their keys. */
const OF_STEP = `SELECT q.id, q.request_json, q.status_code, q.duration_ms, q.ts FROM request_executions q
  WHERE q.run_step_id = ?1 AND q.request_json ->> '$.key' IN (SELECT value FROM json_each(?2)) ORDER BY q.ts, q.rowid`
/** Of any run: under the same key, or with the very bytes that a retry took over from the run before. */
const OF_ANY = `SELECT q.id, q.request_json, q.status_code, q.duration_ms, q.ts FROM request_executions q
  WHERE q.request_json ->> '$.key' = ?1 OR (q.request_json ->> '$.nodeId' = ?2 AND q.response_json ->> '$.blob' = ?3)
  ORDER BY q.ts, q.rowid`
const Attempt = z.object({
  id: z.string(),
  request_json: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.object({ key: z.string(), method: z.string(), url: z.string() })),
  status_code: z.number().nullable(),
  duration_ms: z.number().nullable(),
  ts: z.string()
})
type Attempt = z.infer<typeof Attempt>

const toResponse = ({ id, request_json, status_code, duration_ms, ts }: Attempt): RecordedResponse => ({
  requestId: id,
  method: request_json.method,
  url: request_json.url,
  status: status_code,
  at: ts,
  ms: duration_ms
})

export const createRecordedResponses = (context: DbContext, runId: string): RecordedResponses => {
  const noted = new Map<string, Recorded>()
  const nameOf = (nodeId: string, key: string): string => JSON.stringify([nodeId, key])

  const attempts = async (sql: string, params: (string | null)[]): Promise<Attempt[]> =>
    (await context.projectionStore.query({ sql, params })).map((row) => Attempt.parse(row))

  return {
    note: (recorded) => void noted.set(nameOf(recorded.nodeId, recorded.key), recorded),
    find: async (nodeId, keys) => {
      const known = keys.flatMap((key) => noted.get(nameOf(nodeId, key)) ?? [])
      const ledgerKeys = JSON.stringify(known.map(({ ledgerKey }) => ledgerKey))
      // The last attempt of each is the one that was answered.
      const own = new Map(
        (await attempts(OF_STEP, [`${runId}/${nodeId}`, ledgerKeys])).map((attempt) => [
          attempt.request_json.key,
          attempt
        ])
      )
      const found = new Map<string, RecordedResponse>()
      for (const { key, ledgerKey, entry } of known) {
        const attempt =
          own.get(ledgerKey) ??
          // oxlint-disable-next-line no-await-in-loop -- one after the other, and seldom any
          (await attempts(OF_ANY, [ledgerKey, nodeId, entry.answer?.blob ?? null])).at(-1)
        if (attempt !== undefined) found.set(key, toResponse(attempt))
      }
      return found
    }
  }
}
