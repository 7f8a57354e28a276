import { z } from 'zod'
import type { DbContext } from '../../db/ports.ts'
import { Failure } from '../../workflow/http/failure.ts'
import type { Decision } from '../../workflow/requests/requests.ts'
import type { World } from '../world.ts'

/** What is kept of an answer; its bytes are a blob. `blob` is null for one that a person took as done. */
const KeptAnswer = z.strictObject({
  status: z.number().nullable(),
  contentType: z.string().nullable(),
  blob: z.string().nullable()
})
export type KeptAnswer = z.infer<typeof KeptAnswer>

/**
 * How far a request has come. `planned`: not sent yet. `sent`: it was about to leave; found at a start, nobody knows
 * whether it did. `unknown`: nobody knows whether it arrived. `confirmed` and `failed`: nothing more is to be sent.
 */
export const Entry = z.strictObject({
  state: z.enum(['planned', 'sent', 'unknown', 'confirmed', 'failed']),
  /** SHA-256 of the request as it leaves. */
  request: z.string(),
  attempts: z.number(),
  answer: KeptAnswer.nullable(),
  failure: Failure.nullable()
})
export type Entry = z.infer<typeof Entry>
export type EntryState = Entry['state']

/** One attempt in `request_executions`. */
export type Execution = { readonly id: string; readonly stepId: string; readonly request: object }
export type ExecutionEnd = {
  readonly id: string
  readonly response: object
  readonly status: number | null
  readonly ms: number
}

export const SCOPE = 'http'

/** Where a node's requests stand in the ledger: under their run, or, with an idempotency key of the person's, under their workflow. */
export type Place = { readonly owner: string; readonly nodeId: string }
export const prefixOf = ({ owner, nodeId }: Place): string => `${SCOPE}:${owner}/${nodeId}/`

/**
 * The state of every request, durable before the request leaves and after it was answered, so that whatever kills the
 * worker leaves none of them in doubt without saying so.
 */
export type Ledger = {
  /** Adds what is not there yet as planned; answers with all of them as they are now. */
  plan(entries: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Entry>>
  find(keys: readonly string[]): Promise<ReadonlyMap<string, Entry>>
  /** Says, before it leaves, that a request is sent. */
  sending(key: string, entry: Entry, execution: Execution): Promise<void>
  /** Says what came of it; with `end`, of the attempt that was sent. */
  settle(key: string, entry: Entry, end: ExecutionEnd | null): Promise<void>
}

const PLAN = `INSERT INTO idempotency_keys (key, scope, first_seen_at, result_json)
  SELECT value ->> 0, '${SCOPE}', ?2, value ->> 1 FROM json_each(?1) WHERE true ON CONFLICT (key) DO NOTHING`
const FIND = `SELECT key, result_json FROM idempotency_keys WHERE key IN (SELECT value FROM json_each(?))`
const SET = `INSERT INTO idempotency_keys (key, scope, first_seen_at, result_json) VALUES (?1, '${SCOPE}', ?3, ?2)
  ON CONFLICT (key) DO UPDATE SET result_json = excluded.result_json`
const BEGIN = `INSERT INTO request_executions (id, run_step_id, template_id, request_json, ts) VALUES (?, ?, NULL, ?, ?)`
const END = `UPDATE request_executions SET response_json = ?, status_code = ?, duration_ms = ? WHERE id = ?`

const Found = z.object({ key: z.string(), result_json: z.string() })

export const planned = (request: string): Entry => ({
  state: 'planned',
  request,
  attempts: 0,
  answer: null,
  failure: null
})

export const createLedger = (context: DbContext, world: Pick<World, 'now'>): Ledger => {
  const find = async (from: DbContext, keys: readonly string[]): Promise<ReadonlyMap<string, Entry>> => {
    const rows = await from.projectionStore.query({ sql: FIND, params: [JSON.stringify(keys)] })
    return new Map(
      rows.map((row) => {
        const { key, result_json } = Found.parse(row)
        return [key, Entry.parse(JSON.parse(result_json))]
      })
    )
  }
  const write = (tx: DbContext, key: string, entry: Entry) =>
    tx.projectionStore.query({ sql: SET, params: [key, JSON.stringify(entry), world.now()] })

  return {
    plan: (entries) =>
      context.tx.runInTransaction(async (tx) => {
        const rows = [...entries].map(([key, request]) => [key, JSON.stringify(planned(request))])
        await tx.projectionStore.query({ sql: PLAN, params: [JSON.stringify(rows), world.now()] })
        return find(tx, [...entries.keys()])
      }),
    find: (keys) => find(context, keys),
    sending: (key, entry, { id, stepId, request }) =>
      context.tx.runInTransaction(async (tx) => {
        await write(tx, key, entry)
        await tx.projectionStore.query({
          sql: BEGIN,
          params: [id, stepId, JSON.stringify(request), world.now()]
        })
      }),
    settle: (key, entry, end) =>
      context.tx.runInTransaction(async (tx) => {
        await write(tx, key, entry)
        if (end === null) return
        await tx.projectionStore.query({
          sql: END,
          params: [JSON.stringify(end.response), end.status, end.ms, end.id]
        })
      })
  }
}

const GIVEN_UP: Failure = {
  kind: 'given-up',
  message: 'A person gave it up: it may or may not have arrived.',
  arrived: 'unknown'
}

/** What a person's word makes of a request of unknown fate. */
export const decided = (entry: Entry, decision: Decision): Entry => {
  switch (decision) {
    case 'send-again':
      return { ...entry, state: 'planned', failure: null }
    case 'take-as-done':
      return {
        ...entry,
        state: 'confirmed',
        failure: null,
        answer: { status: null, contentType: null, blob: null }
      }
    case 'give-up':
      return { ...entry, state: 'failed', failure: GIVEN_UP }
  }
}
