import type { DbContext } from '../../db/ports.ts'
import { classifyNoAnswer, type Failure } from '../../workflow/http/failure.ts'
import { maskHeaders } from '../../workflow/http/masking.ts'
import type { Request } from '../../workflow/http/request.ts'
import type { World } from '../world.ts'
import type { NoteProbe } from './client.ts'
import { toKept } from './kept-request.ts'

/** Before the key of a request that belongs to no step of a run. */
export const RECORD_SCOPE = 'sent'

/** For whom a request leaves that no step of a run sends: a data source's page, or a look whether a service is there. */
export type Sender = {
  readonly purpose: 'source' | 'probe'
  readonly runId?: string | undefined
  readonly dataSourceId?: string | undefined
}
export type RecordedEnd = {
  readonly status: number | null
  readonly ms: number
  readonly size: number | null
  readonly headers: Readonly<Record<string, string>>
  readonly failure: Failure | null
}

const NOBODY = {
  online: true,
  secure: false,
  pageIsLocal: true,
  localPermission: null,
  answersBlindly: false
} as const

/** The record of requests that belong to no step of a run; durable before they leave, as the ledger is. */
export type RequestRecord = {
  /** Says that it leaves; answers with what it is known by. */
  leaving(request: Request, attempt: number, sender: Sender): Promise<string>
  ended(id: string, end: RecordedEnd): Promise<void>
}

const BEGIN = 'INSERT INTO idempotency_keys (key, scope, first_seen_at, result_json) VALUES (?, ?, ?, ?)'
const END = `UPDATE idempotency_keys SET result_json = json_patch(result_json, ?2) WHERE key = ?1`

export const createRequestRecord = (
  context: DbContext,
  world: Pick<World, 'now' | 'newId'>
): RequestRecord => ({
  leaving: async (request, attempt, { purpose, runId, dataSourceId }) => {
    const id = `${RECORD_SCOPE}:${world.newId()}`
    const kept = { purpose, runId, dataSourceId, request: { ...toKept(request), attempt } }
    await context.projectionStore.query({
      sql: BEGIN,
      params: [id, RECORD_SCOPE, world.now(), JSON.stringify(kept)]
    })
    return id
  },
  ended: async (id, { status, ms, size, headers, failure }) => {
    const response = {
      headers: maskHeaders(headers),
      contentType: headers['content-type'],
      size: size ?? undefined,
      error: failure ?? undefined
    }
    const params = [id, JSON.stringify({ status: status ?? undefined, ms, response })]
    await context.projectionStore.query({ sql: END, params })
  }
})

/** Keeps what is asked to tell failures apart. It is read blindly: all that is seen is whether somebody answers. */
export const probing =
  (record: RequestRecord, sender: Sender): NoteProbe =>
  async (request) => {
    const id = await record.leaving(request, 1, sender)
    return (ms, answered) =>
      record.ended(id, {
        status: null,
        ms,
        size: null,
        headers: {},
        failure: answered ? null : classifyNoAnswer(new URL(request.url), NOBODY)
      })
  }
