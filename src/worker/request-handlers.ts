import { z } from 'zod'
import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { toCurl } from '../workflow/http/curl.ts'
import { toHar, type HarSource } from '../workflow/http/har.ts'
import { maskBody } from '../workflow/http/masking.ts'
import { requestsAggregate, toRequestsId, type Decision } from '../workflow/requests/requests.ts'
import type { AggregateStore } from './aggregate-store.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'
import { decided, Entry, prefixOf, SCOPE } from './http/ledger.ts'
import { answerText, countSent, findOne, findSent, type Kept } from './http/sent-requests.ts'

const inputs = flowForgeInputs.requests
/** Characters of an answer that are shown. */
const SHOWN = 200_000
const HAR_ENTRIES = 10_000

type Parts = { readonly context: DbContext; readonly aggregates: AggregateStore }

/** Whether a key begins with a prefix, in a way that an index can answer: `0` is what follows `/`. */
const UNDER = `key >= ?1 AND key < substr(?1, 1, length(?1) - 1) || '0' AND scope = '${SCOPE}'`
const UNKNOWN = `result_json ->> '$.state' IN ('unknown', 'sent')`
const KeyRow = z.object({ key: z.string(), result_json: z.string() })

const toHarSource = async (context: DbContext, kept: Kept): Promise<HarSource> => {
  const { request, response, sent } = kept
  const text = await answerText(context, kept)
  return {
    request,
    startedAt: sent.at,
    ms: sent.ms,
    comment: sent.failure?.message ?? '',
    response:
      response === null || sent.status === null
        ? null
        : {
            status: sent.status,
            headers: response.headers,
            contentType: response.contentType ?? '',
            size: response.size ?? 0,
            // It is kept as it came, to be read again; an archive is for others.
            text: text === null ? null : maskBody(text, response.contentType ?? undefined)
          }
  }
}

export const createRequestHandlers = ({ context, aggregates }: Parts): FlowForgeApi['requests'] => {
  /** The workflow of a run that has ended or waits: nobody decides about what is still under way. */
  const endedRun = async (runId: string): Promise<string> => {
    const sql = `SELECT status, input_manifest_json ->> '$.workflowId' AS workflow FROM runs WHERE id = ?`
    const [row] = await context.projectionStore.query({ sql, params: [runId] })
    if (row === undefined) throw new FlowForgeError('NOT_FOUND', `There is no run "${runId}".`, { runId })
    if (row['status'] === 'queued' || row['status'] === 'running') {
      throw new FlowForgeError(
        'CONFLICT',
        'This run is still going on. Wait until it has ended, or cancel it.',
        { runId }
      )
    }
    return String(row['workflow'])
  }

  const unknownUnder = async (tx: DbContext, prefix: string) => {
    const sql = `SELECT key, result_json FROM idempotency_keys WHERE ${UNDER} AND ${UNKNOWN}`
    return (await tx.projectionStore.query({ sql, params: [prefix] })).map((row) => KeyRow.parse(row))
  }

  /** A node's requests stand under the run, or under the workflow where they have keys of their own. */
  const unknownOf = async (tx: DbContext, workflowId: string, runId: string, nodeId: string) => ({
    own: await unknownUnder(tx, prefixOf({ owner: runId, nodeId })),
    shared: await unknownUnder(tx, prefixOf({ owner: workflowId, nodeId }))
  })

  /** Requests with keys of their own are those of all runs of a workflow. @throws FlowForgeError `CONFLICT` */
  const expectNoneUnderWay = async (tx: DbContext, workflowId: string): Promise<void> => {
    const sql = `SELECT id FROM runs WHERE status = 'running' AND input_manifest_json ->> '$.workflowId' = ?`
    const [other] = await tx.projectionStore.query({ sql, params: [workflowId] })
    if (other === undefined) return
    const message =
      'Another run of this workflow is going on and may have these requests under way. Wait until it has ended, or cancel it.'
    throw new FlowForgeError('CONFLICT', message, { runId: other['id'] })
  }

  const askingNodes = async (runId: string): Promise<string[]> => {
    const sql = `SELECT id FROM run_steps WHERE run_id = ? AND stats_json ->> '$.kind' = 'http'`
    const rows = await context.projectionStore.query({ sql, params: [runId] })
    return rows.map((row) => String(row['id']).slice(runId.length + 1))
  }

  const decide = async (
    { runId, nodeId, decision }: { runId: string; nodeId: string; decision: Decision },
    callId: string | undefined
  ): Promise<{ decided: number }> => {
    const workflowId = await endedRun(runId)
    return context.tx.runInTransaction(async (tx) => {
      const { own, shared } = await unknownOf(tx, workflowId, runId, nodeId)
      const unknown = [...own, ...shared]
      if (unknown.length === 0) return { decided: 0 }
      if (shared.length > 0) await expectNoneUnderWay(tx, workflowId)
      for (const { key, result_json } of unknown) {
        const entry = decided(Entry.parse(JSON.parse(result_json)), decision)
        const sql = 'UPDATE idempotency_keys SET result_json = ? WHERE key = ?'
        // oxlint-disable-next-line no-await-in-loop -- one transaction, one after the other
        await tx.projectionStore.query({ sql, params: [JSON.stringify(entry), key] })
      }
      const count = unknown.length
      await aggregates.once(callId).execute(requestsAggregate, toRequestsId(runId, nodeId), {
        type: 'DecideUnknown',
        runId,
        nodeId,
        decision,
        count
      })
      return { decided: count }
    })
  }

  return {
    list: handler('requests.list', inputs.list, async ({ offset = 0, limit = 200, ...which }) => {
      const found = await findSent(context, which, { offset, limit, order: 'DESC' })
      return { requests: found.map(({ sent }) => sent), total: await countSent(context, which) }
    }),
    read: handler('requests.read', inputs.read, async ({ requestId }) => {
      const kept = await findOne(context, requestId)
      if (kept === undefined) {
        throw new FlowForgeError('NOT_FOUND', `There is no request "${requestId}".`, { requestId })
      }
      const { sent, request, response } = kept
      const text = await answerText(context, kept)
      return {
        ...sent,
        headers: request.headers,
        body: request.body,
        answer:
          response === null || sent.status === null
            ? null
            : {
                headers: response.headers,
                contentType: response.contentType,
                text: text === null ? null : text.slice(0, SHOWN),
                isCut: text !== null && text.length > SHOWN
              },
        curl: toCurl(request)
      }
    }),
    har: handler('requests.har', inputs.har, async (which) => {
      const found = await findSent(context, which, { offset: 0, limit: HAR_ENTRIES, order: 'ASC' })
      const sources: HarSource[] = []
      // oxlint-disable-next-line no-await-in-loop -- bodies are read one at a time
      for (const kept of found) sources.push(await toHarSource(context, kept))
      const total = await countSent(context, which)
      const comment =
        total > sources.length
          ? `The first ${sources.length.toLocaleString('en')} of ${total.toLocaleString('en')} requests.`
          : ''
      return new Blob([JSON.stringify(toHar(sources, '1', comment), null, 1)], { type: 'application/json' })
    }),
    unknown: handler('requests.unknown', inputs.unknown, async ({ runId }) => {
      const sql = `SELECT status, input_manifest_json ->> '$.workflowId' AS workflow FROM runs WHERE id = ?`
      const [run] = await context.projectionStore.query({ sql, params: [runId] })
      if (run === undefined || run['status'] === 'running' || run['status'] === 'queued') return []
      const found: { nodeId: string; count: number }[] = []
      for (const nodeId of await askingNodes(runId)) {
        // oxlint-disable-next-line no-await-in-loop -- a run has few such nodes
        const { own, shared } = await unknownOf(context, String(run['workflow']), runId, nodeId)
        const count = own.length + shared.length
        if (count > 0) found.push({ nodeId, count })
      }
      return found
    }),
    decide: handler('requests.decide', inputs.decide, decide)
  }
}
