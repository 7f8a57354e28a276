import { FlowForgeError } from '../../db/ports.ts'
import { createPace } from '../../workflow/http/pace.ts'
import { renderRequest, type Request, type RequestPlan } from '../../workflow/http/request.ts'
import { maySendAgain } from '../../workflow/http/retry.ts'
import type { AnswerRow, AskedRow, AskService } from '../engine/ask-service.ts'
import { readAnswer, type AnswerValues, type Body } from './answer-rows.ts'
import {
  failedRequest,
  inWords,
  nameOf,
  notAsked,
  notRecorded,
  ONE_KEY_TWO_REQUESTS,
  unknownRequests,
  type Tally
} from './ask-words.ts'
import { requestHash, textHash } from './kept-request.ts'
import { planned, prefixOf, type Entry } from './ledger.ts'
import { recordedBody } from './recorded-body.ts'
import { sendUntilSettled, type Job, type SendingParts } from './sending.ts'
import { sideBySide } from './side-by-side.ts'

/** A row's request as the ledger has it. */
export type Recorded = {
  readonly nodeId: string
  /** The row's key in the node. */
  readonly key: string
  readonly ledgerKey: string
  readonly entry: Entry
}

/** The run that asks. `recordedIn`: its answers are that run's, and nothing is sent. */
export type AskingRun = {
  readonly runId: string
  readonly workflowId: string
  readonly recordedIn: string | null
  /** The run that this one tries again: what it was answered is taken, and only the rest is asked for. */
  readonly answersOf?: string | undefined
  /** A preview shows what is on record and says, where it is not, how to ask. */
  readonly isPreview?: boolean
  /** Told, of each answer that is taken from the record, where it stands in the ledger. */
  readonly onRecorded?: (recorded: Recorded) => void
  readonly log: (entry: { nodeId: string; message: string; meta: Record<string, unknown> }) => Promise<void>
}

/** Rows that one request stands for: with an idempotency key of the person's there may be several. */
type Wanted = {
  readonly ledgerKey: string
  readonly request: Request
  readonly hash: string
  readonly rows: AskedRow[]
}

/** An answer may give more rows than a call takes arguments. */
const addAll = <T>(all: T[], more: readonly T[]): void => {
  for (const each of more) all.push(each)
}

/** Requests whose fate the ledger knows. */
type OnRecord = { readonly wanted: Wanted; readonly entry: Entry }

/** Answers that are read from storage at a time. */
const READ_TOGETHER = 64

const answersFor = (
  rows: readonly AskedRow[],
  status: number | null,
  error: string | null,
  values: readonly AnswerValues[]
): AnswerRow[] =>
  rows.flatMap(({ key }) => values.map((each, index) => ({ key, index, status, error, values: each })))

const nothing = ({ columns }: RequestPlan): readonly AnswerValues[] => [columns.map(() => null)]

/**
 * Sends what rows ask for and gives their answers. What the ledger knows is not sent again: answers of an earlier start
 * of the same run are taken as they are, and a request of unknown fate waits for a person unless it may be repeated.
 */
export const createAskService = (parts: SendingParts, run: AskingRun): AskService =>
  async function* ({ nodeId, requests, rows, signal, ending, onAnswered }) {
    const { plan } = requests
    const throwIfEnding = (): void => {
      if (ending?.aborted === true) throw new FlowForgeError('CANCELED', 'Canceled.')
    }
    const { ledger, context } = parts
    const owner = plan.idempotencyKey === null ? (run.recordedIn ?? run.runId) : run.workflowId
    const prefix = prefixOf({ owner, nodeId })
    const stepId = `${run.runId}/${nodeId}`
    const pace = createPace(plan.ratePerSecond)
    const tally: Tally = { sent: 0, again: 0, answered: 0, failed: 0, recorded: 0, unknown: 0 }
    let count = 0
    /** The first failure that ends the run. */
    let fatal: { message: string; name: string } | null = null

    const fail = (
      name: string,
      message: string,
      of: readonly AskedRow[],
      status: number | null
    ): AnswerRow[] => {
      tally.failed += of.length
      if (plan.onError === 'fail') fatal ??= { message, name }
      return answersFor(of, status, message, nothing(plan))
    }

    const rowsOf = ({ wanted, entry }: OnRecord, body: Body | null): AnswerRow[] => {
      const { answer, failure } = entry
      const status = answer?.status ?? null
      if (entry.state === 'failed') {
        return fail(nameOf(wanted.request), failure?.message ?? 'It failed.', wanted.rows, status)
      }
      // A person took it as done: there is no answer, and none is missing.
      if (body === null) return answersFor(wanted.rows, status, null, nothing(plan))
      const read = readAnswer(body, plan)
      if (!read.ok) return fail(nameOf(wanted.request), read.reason, wanted.rows, status)
      return answersFor(wanted.rows, status, null, read.rows)
    }

    /** In the order of the requests. */
    const recordedRows = async (recorded: readonly OnRecord[]): Promise<AnswerRow[]> => {
      const answers: AnswerRow[] = []
      for (let from = 0; from < recorded.length; from += READ_TOGETHER) {
        throwIfEnding()
        const some = recorded.slice(from, from + READ_TOGETHER)
        // oxlint-disable-next-line no-await-in-loop -- no more of them at a time than memory has room for
        const bodies = await Promise.all(some.map(({ entry }) => recordedBody(context, entry)))
        some.forEach((each, at) => addAll(answers, rowsOf(each, bodies[at] ?? null)))
      }
      return answers
    }

    const want = async (batch: readonly AskedRow[]) => {
      const wanted = new Map<string, Wanted>()
      const refused: AnswerRow[] = []
      for (const row of batch) {
        const rendered = renderRequest(plan, row.values)
        if (!rendered.ok) {
          refused.push(...fail('a row', rendered.message, [row], null))
          continue
        }
        const { request } = rendered
        if (!URL.canParse(request.url)) {
          const message = `"${plan.endpoint}" is no address that can be asked: check its name and port.`
          refused.push(...fail(nameOf(request), message, [row], null))
          continue
        }
        const own = request.idempotencyKey === null ? row.key : await textHash(request.idempotencyKey)
        const ledgerKey = prefix + own
        const hash = await requestHash(request)
        const known = wanted.get(ledgerKey)
        if (known === undefined) wanted.set(ledgerKey, { ledgerKey, request, hash, rows: [row] })
        else if (known.hash === hash) known.rows.push(row)
        else refused.push(...fail(nameOf(request), ONE_KEY_TWO_REQUESTS, [row], null))
      }
      return { wanted, refused }
    }

    const replayed = async (wanted: ReadonlyMap<string, Wanted>): Promise<AnswerRow[]> => {
      const found = await ledger.find([...wanted.keys()])
      const recorded: OnRecord[] = []
      for (const each of wanted.values()) {
        const entry = found.get(each.ledgerKey)
        if (entry?.request !== each.hash || (entry.state !== 'confirmed' && entry.state !== 'failed')) {
          throw run.isPreview === true
            ? notAsked(nodeId)
            : notRecorded(each.request, each.ledgerKey, run.recordedIn ?? run.runId)
        }
        tally.recorded += 1
        for (const { key } of each.rows) {
          run.onRecorded?.({ nodeId, key, ledgerKey: each.ledgerKey, entry })
        }
        recorded.push({ wanted: each, entry })
      }
      return recordedRows(recorded)
    }

    /** Takes over what the run before was answered to the very same requests; it is on record as this run's then. */
    const takeOver = async (entries: ReadonlyMap<string, Entry>): Promise<ReadonlyMap<string, Entry>> => {
      if (run.answersOf === undefined || plan.idempotencyKey !== null) return entries
      const before = prefixOf({ owner: run.answersOf, nodeId })
      const fresh = [...entries].filter(([, { state, attempts }]) => state === 'planned' && attempts === 0)
      const theirs = await ledger.find(fresh.map(([key]) => before + key.slice(prefix.length)))
      const taken = fresh.flatMap(([key, { request }]) => {
        const entry = theirs.get(before + key.slice(prefix.length))
        return entry?.state === 'confirmed' && entry.request === request ? [[key, entry] as const] : []
      })
      await Promise.all(taken.map(([key, entry]) => ledger.settle(key, entry, null)))
      return new Map([...entries, ...taken])
    }

    const sendAll = async (wanted: ReadonlyMap<string, Wanted>): Promise<AnswerRow[]> => {
      const hashes = new Map([...wanted.values()].map(({ ledgerKey, hash }) => [ledgerKey, hash]))
      const entries = await takeOver(await ledger.plan(hashes))
      const answers: AnswerRow[] = []
      const recorded: OnRecord[] = []
      const jobs: (Job & { wanted: Wanted })[] = []
      for (const each of wanted.values()) {
        const entry = entries.get(each.ledgerKey) ?? planned(each.hash)
        const doubtful = entry.state === 'sent' || entry.state === 'unknown'
        const repeatable = maySendAgain(plan.method, plan.idempotencyKey !== null)
        const isOther = entry.request !== each.hash
        if (isOther && plan.idempotencyKey !== null && entry.state !== 'planned') {
          answers.push(...fail(nameOf(each.request), ONE_KEY_TWO_REQUESTS, each.rows, null))
        } else if (doubtful && !repeatable) {
          tally.unknown += 1
          if (entry.state === 'sent')
            await ledger.settle(each.ledgerKey, { ...entry, state: 'unknown' }, null)
        } else if (
          !isOther &&
          (entry.state === 'confirmed' ||
            (entry.state === 'failed' && (plan.onError !== 'fail' || entry.failure?.kind === 'given-up')))
        ) {
          tally.recorded += 1
          recorded.push({ wanted: each, entry })
        } else {
          const anew = isOther || entry.state === 'failed' ? planned(each.hash) : entry
          jobs.push({
            wanted: each,
            ledgerKey: each.ledgerKey,
            stepId,
            nodeId,
            request: each.request,
            entry: { ...anew, attempts: entry.attempts }
          })
        }
      }
      addAll(answers, await recordedRows(recorded))
      await sideBySide(jobs, plan.concurrency, signal, async (job, either) => {
        const settled = await sendUntilSettled(parts, plan, pace, job, { signal: either, ending })
        // What was under way is on record; nobody waits for it any more.
        if (ending?.aborted === true) return false
        const { entry, rows: values, sent } = settled
        tally.sent += sent
        tally.again += sent - 1
        count += 1
        onAnswered(count)
        const status = entry.answer?.status ?? null
        if (entry.state === 'unknown') tally.unknown += 1
        else if (values !== null) {
          tally.answered += 1
          addAll(answers, answersFor(job.wanted.rows, status, null, values))
        } else {
          answers.push(
            ...fail(nameOf(job.request), entry.failure?.message ?? 'It failed.', job.wanted.rows, status)
          )
        }
        return fatal === null
      })
      throwIfEnding()
      return answers
    }

    for await (const batch of rows) {
      throwIfEnding()
      const { wanted, refused } = await want(batch)
      const answers =
        run.recordedIn === null && fatal === null
          ? await sendAll(wanted)
          : fatal === null
            ? await replayed(wanted)
            : []
      if (fatal !== null) break
      yield [...refused, ...answers]
    }
    await run.log({ nodeId, message: inWords(tally), meta: { ...tally } })
    if (fatal !== null) throw failedRequest(nodeId, fatal)
    if (tally.unknown > 0) throw unknownRequests(nodeId, tally.unknown)
  }
