import { FlowForgeError } from '../../db/ports.ts'
import { missingSecrets, type Paging, type WebRequest } from '../../workflow/data-source/web-request.ts'
import { badStatus, unreadable, type Failure } from '../../workflow/http/failure.ts'
import { maskUrl } from '../../workflow/http/masking.ts'
import { createPace } from '../../workflow/http/pace.ts'
import type { Request } from '../../workflow/http/request.ts'
import {
  backoffMs,
  isWorthAnotherTry,
  LONGEST_RETRY_AFTER_MS,
  parseRetryAfter
} from '../../workflow/http/retry.ts'
import type { World } from '../world.ts'
import type { Client, Sent } from './client.ts'
import type { Net } from './net.ts'
import { firstPage, nextPage } from './paging.ts'
import type { RequestRecord } from './request-record.ts'
import { readPage, toFile, type WebPage } from './web-page.ts'

export type FetchingParts = {
  readonly client: Client
  readonly record: RequestRecord
  readonly net: Net
  readonly world: Pick<World, 'now'>
}
/** All pages in one file; `notes` say what was not fetched. */
export type FetchedPages = { readonly file: Blob; readonly pages: number; readonly notes: readonly string[] }

type Answer = Extract<Sent, { answered: true }>

/** Failures that are the same however often one tries. */
const LASTING: ReadonlySet<Failure['kind']> = new Set([
  'mixed-content',
  'local-address',
  'too-large',
  'redirect'
])

const failed = (failure: Failure, url: string, page: number): FlowForgeError =>
  new FlowForgeError('INVALID_INPUT', `Page ${page} (${maskUrl(url)}): ${failure.message}`, {
    reason: failure.kind,
    page
  })

/** So many pages in a row with the very same rows are one page, given again and again. */
const SAME_PAGES = 3
const samePages = (paging: Paging): string => {
  const what =
    paging.type === 'page' || paging.type === 'cursor'
      ? `Check that "${paging.parameter}" is what it calls a page.`
      : 'Check how it gives its pages.'
  return `${SAME_PAGES} pages in a row hold the very same rows, so it does not go on. ${what}`
}

const csvHeadersDiffer: Failure = {
  kind: 'unreadable',
  message: 'its columns are named otherwise than those of the first page.',
  arrived: 'yes'
}

/** Asks for a page until it is answered with success. @throws FlowForgeError which says why it was not */
const sendPage = async (
  { client, record, net, world }: FetchingParts,
  request: WebRequest,
  which: { url: string; number: number; dataSourceId: string; bytes: number; signal: AbortSignal }
): Promise<Answer> => {
  const { url, number, dataSourceId, signal } = which
  const { headers, timeoutMs, retry } = request
  const sending: Request = { method: 'GET', url, headers, body: null, idempotencyKey: null }
  const pace = createPace(undefined)
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt > retry.times
    await net.wait(Math.max(0, pace.next(net.clock()) - net.clock()), signal)
    const id = await record.leaving(sending, attempt, { purpose: 'source', dataSourceId })
    const sent = await client.send(sending, { timeoutMs, signal, largest: which.bytes })
    if (sent.answered) {
      const { status, ms, bytes, headers: answered } = sent
      const failure = sent.ok ? null : badStatus(new URL(url), status, attempt)
      await record.ended(id, { status, ms, size: bytes.length, headers: answered, failure })
      if (failure === null) return sent
      const asked = parseRetryAfter(answered['retry-after'] ?? null, Date.parse(world.now()))
      const again =
        !isLast && isWorthAnotherTry(status, 'GET', false) && (asked ?? 0) <= LONGEST_RETRY_AFTER_MS
      if (!again) throw failed(failure, url, number)
      await net.wait(backoffMs(retry, attempt, net.random(), asked), signal)
      continue
    }
    const again = !isLast && !LASTING.has(sent.failure.kind)
    const failure = again ? sent.failure : await client.explain(sending, sent.failure, signal)
    await record.ended(id, { status: null, ms: sent.ms, size: null, headers: {}, failure })
    if (!again) throw failed(failure, url, number)
    await net.wait(backoffMs(retry, attempt, net.random(), null), signal)
  }
}

/**
 * Fetches the pages of a data source, one after the other. Nothing is kept of a fetch that fails on its way.
 * @param most pages at the most, fewer than the request's own limit
 * @throws FlowForgeError `INVALID_INPUT` with the failure's kind as `reason` and the page's number
 */
export const fetchPages = async (
  parts: FetchingParts,
  request: WebRequest,
  args: { dataSourceId: string; signal: AbortSignal; most?: number }
): Promise<FetchedPages> => {
  const missing = missingSecrets(request)
  if (missing.length > 0) {
    const message = `Secrets are not kept: give the value of ${missing.join(', ')} again.`
    throw new FlowForgeError('INVALID_INPUT', message, { reason: 'secrets-needed', secrets: missing })
  }
  if (!URL.canParse(request.url)) {
    const message = `"${maskUrl(request.url)}" is no address that can be asked: check its name and port.`
    throw new FlowForgeError('INVALID_INPUT', message, { reason: 'no-address' })
  }
  const { paging, limits, format } = request
  const most = Math.min(limits.pages, args.most ?? limits.pages)
  const start = firstPage(request.url, paging)
  const { origin, host } = new URL(start)
  const seen = new Set<string>()
  const pages: WebPage[] = []
  let left = limits.bytes
  let header: string | null = null
  let url: string | null = start
  let alike = 1
  while (url !== null && pages.length < most) {
    const number = pages.length + 1
    const current: string = url
    seen.add(current)
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next one is
    const answer: Answer = await sendPage(parts, request, { ...args, url: current, number, bytes: left })
    left -= answer.bytes.length
    const contentType = answer.headers['content-type'] ?? null
    const read = readPage({ bytes: answer.bytes, contentType }, request)
    if (!read.ok) throw failed(unreadable(host, read.reason), current, number)
    const { page } = read
    header ??= page.header
    if (page.header !== null && page.header !== header) throw failed(csvHeadersDiffer, current, number)
    const isAlike = page.rows > 0 && page.text === pages.at(-1)?.text
    alike = isAlike ? alike + 1 : 1
    if (alike >= SAME_PAGES) throw failed(unreadable(host, samePages(paging)), current, number)
    pages.push({ ...page, value: undefined })
    const link = answer.headers['link'] ?? null
    url = nextPage(start, paging, { url: current, number, rows: page.rows, link, value: page.value })
    if (url === null) break
    if (!URL.canParse(url)) throw failed(unreadable(host, 'its next page is at no address.'), current, number)
    // Headers may hold a secret: they are for the service that the person named, and no other.
    if (new URL(url).origin !== origin) {
      throw failed(
        unreadable(host, `its next page is at another service (${new URL(url).origin}).`),
        current,
        number
      )
    }
    if (seen.has(url)) {
      throw failed(unreadable(host, 'its next page is one that was fetched already.'), current, number)
    }
  }
  const isCut = url !== null && pages.length >= most
  return {
    file: toFile(pages, format),
    pages: pages.length,
    notes: isCut ? [`Fetched no more than ${most} ${most === 1 ? 'page' : 'pages'}: there may be more.`] : []
  }
}
