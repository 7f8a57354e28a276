import type { DbContext } from '../../db/ports.ts'
import { badStatus, unreadable, type Failure } from '../../workflow/http/failure.ts'
import { maskHeaders } from '../../workflow/http/masking.ts'
import type { Pace } from '../../workflow/http/pace.ts'
import type { Request, RequestPlan } from '../../workflow/http/request.ts'
import {
  backoffMs,
  isWorthAnotherTry,
  LONGEST_RETRY_AFTER_MS,
  maySendAgain,
  parseRetryAfter
} from '../../workflow/http/retry.ts'
import type { World } from '../world.ts'
import { readAnswer, type AnswerValues } from './answer-rows.ts'
import type { Client, Sent } from './client.ts'
import { toKept } from './kept-request.ts'
import type { Entry, KeptAnswer, Ledger } from './ledger.ts'
import type { Net } from './net.ts'

/** A request on its way, and where it stands in the ledger. */
export type Job = {
  readonly ledgerKey: string
  readonly stepId: string
  readonly nodeId: string
  readonly request: Request
  readonly entry: Entry
}

/** What came of a job in the end; `rows` are the answer's, where it can be used. */
export type Settled = {
  readonly entry: Entry
  readonly rows: readonly AnswerValues[] | null
  readonly sent: number
}

export type SendingParts = {
  readonly context: DbContext
  readonly ledger: Ledger
  readonly client: Client
  readonly net: Net
  readonly world: World
}

/** Failures that are the same however often one tries. */
const LASTING: ReadonlySet<Failure['kind']> = new Set([
  'mixed-content',
  'local-address',
  'too-large',
  'redirect',
  'template'
])

const unsent = (entry: Entry, attempt: number): Settled => ({ entry, rows: null, sent: attempt - 1 })

const keepAnswer = async (
  context: DbContext,
  { status, headers, bytes }: Extract<Sent, { answered: true }>
): Promise<KeptAnswer> => {
  const contentType = headers['content-type'] ?? null
  const stored = await context.blobStore.putStream({
    prefix: 'responses/',
    stream: new Blob([bytes]).stream(),
    contentType: contentType ?? undefined
  })
  return { status, contentType, blob: stored.key }
}

/**
 * Sends a request until it is settled: answered, failed for good, or of unknown fate. Each attempt is on record before it
 * leaves. Once `ending` aborts no attempt is begun; one that is under way is broken off where it may be sent again, and
 * waited for where its fate would be unknown.
 */
export const sendUntilSettled = async (
  { context, ledger, client, net, world }: SendingParts,
  plan: RequestPlan,
  pace: Pace,
  job: Job,
  { signal, ending }: { readonly signal: AbortSignal; readonly ending?: AbortSignal | undefined }
): Promise<Settled> => {
  const { ledgerKey, stepId, nodeId, request } = job
  const hasKey = request.idempotencyKey !== null
  const mayRepeat = maySendAgain(request.method, hasKey)
  const host = new URL(request.url).host
  let entry = job.entry
  const either = ending === undefined ? signal : AbortSignal.any([signal, ending])
  const whileSent = mayRepeat ? either : signal
  const isEnding = (): boolean => ending?.aborted === true && !signal.aborted

  /** False where it was waited for in vain, because all is ending. */
  const wait = async (ms: number): Promise<boolean> => {
    await net.wait(ms, either).catch((thrown: unknown) => {
      if (!isEnding()) throw thrown
    })
    return !isEnding()
  }
  const pauseAfter = (attempt: number, retryAfterMs: number | null): Promise<boolean> =>
    wait(backoffMs(plan.retry, attempt, net.random(), retryAfterMs))

  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt > plan.retry.times
    if (!(await wait(Math.max(0, pace.next(net.clock()) - net.clock())))) return unsent(entry, attempt)
    const execution = `request:${world.newId()}`
    const kept = { ...toKept(request), nodeId, key: ledgerKey, attempt: entry.attempts + 1 }
    entry = { ...entry, state: 'sent', attempts: entry.attempts + 1 }
    await ledger.sending(ledgerKey, entry, { id: execution, stepId, request: kept })
    const sent = await client
      .send(request, { timeoutMs: plan.timeoutMs, signal: whileSent })
      .catch((thrown: unknown) => {
        if (!isEnding()) throw thrown
        return null
      })
    // It stays on record as sent, as after a cancel: it may be sent again.
    if (sent === null) return { entry, rows: null, sent: attempt }

    if (!sent.answered) {
      const again = !isLast && mayRepeat && !LASTING.has(sent.failure.kind)
      const failure = again ? sent.failure : await client.explain(request, sent.failure, signal)
      const doubtful = failure.arrived === 'unknown' && !mayRepeat
      const state = again ? 'planned' : doubtful ? 'unknown' : 'failed'
      entry = { ...entry, state, failure: again ? null : failure }
      await ledger.settle(ledgerKey, entry, {
        id: execution,
        response: { error: failure },
        status: null,
        ms: sent.ms
      })
      if (!again) return { entry, rows: null, sent: attempt }
      if (!(await pauseAfter(attempt, null))) return unsent(entry, attempt + 1)
      continue
    }

    const answer = await keepAnswer(context, sent)
    const read = sent.ok ? readAnswer({ bytes: sent.bytes, contentType: answer.contentType }, plan) : null
    const asked = parseRetryAfter(sent.headers['retry-after'] ?? null, Date.parse(world.now()))
    const again =
      !sent.ok &&
      !isLast &&
      isWorthAnotherTry(sent.status, request.method, hasKey) &&
      (asked ?? 0) <= LONGEST_RETRY_AFTER_MS
    const failure =
      read === null
        ? badStatus(new URL(request.url), sent.status, attempt)
        : read.ok
          ? null
          : unreadable(host, read.reason)
    const state = again ? 'planned' : failure === null ? 'confirmed' : 'failed'
    entry = { ...entry, state, answer: again ? null : answer, failure: again ? null : failure }
    await ledger.settle(ledgerKey, entry, {
      id: execution,
      response: {
        headers: maskHeaders(sent.headers),
        contentType: answer.contentType,
        size: sent.bytes.length,
        blob: answer.blob,
        ...(failure === null ? {} : { error: failure })
      },
      status: sent.status,
      ms: sent.ms
    })
    if (!again) return { entry, rows: read?.ok === true ? read.rows : null, sent: attempt }
    // A service that says when it can be asked again means all of its callers.
    if (asked !== null) pace.holdUntil(net.clock() + asked)
    if (!(await pauseAfter(attempt, asked))) return unsent(entry, attempt + 1)
  }
}
