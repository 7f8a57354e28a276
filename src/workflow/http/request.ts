import type { RetryPolicy } from './retry.ts'
import type { ValueType } from '../value-type.ts'
import { bodyForm, fillBody, fillHeader, fillPath, type TemplateRow } from './template.ts'

/** A column of an answer: where it stands in the answer, and what it is read as. */
export type AnswerColumn = { readonly name: string; readonly pointer: string; readonly type: ValueType }

/** What a node asks, made ready: everything that it takes beside the rows. */
export type RequestPlan = {
  readonly method: string
  readonly endpoint: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly template: string | null
  readonly columns: readonly AnswerColumn[]
  /** Each element of the list there gives a row. */
  readonly explode: string | null
  /** Null: what the answer's content type says. */
  readonly format: 'json' | 'csv' | null
  readonly concurrency: number
  readonly ratePerSecond?: number | undefined
  readonly timeoutMs: number
  readonly retry: RetryPolicy
  readonly idempotencyKey: string | null
  readonly onError: 'fail' | 'reject' | 'keep'
}

/** One request as it leaves. */
export type Request = {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  readonly idempotencyKey: string | null
}

export type Rendered =
  { readonly ok: true; readonly request: Request } | { readonly ok: false; readonly message: string }

export const IDEMPOTENCY_HEADER = 'Idempotency-Key'

const headerOf = (headers: Readonly<Record<string, string>>, wanted: string): string | undefined =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1]

/** What an endpoint is: whom to ask, over http, perhaps with the beginning of a path; who asks is not part of it. */
export const isEndpoint = (text: string): boolean =>
  /^https?:\/\/[^\s/?#@\\]+(\/[^\s?#\\]*)?$/i.test(text.trim())

/** The endpoint and a path behind it. Whom it asks is the endpoint's alone: a path begins behind a slash or in the query. */
export const joinUrl = (endpoint: string, path: string): string => {
  const base = endpoint.trim().replace(/\/+$/, '')
  return path === '' || /^[/?]/.test(path) ? base + path : `${base}/${path}`
}

const BODYLESS: ReadonlySet<string> = new Set(['GET', 'HEAD'])
const CONTENT_TYPES = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  text: 'text/plain'
}

/** A row's request, or why the row makes none. */
export const renderRequest = (plan: RequestPlan, row: TemplateRow): Rendered => {
  const path = fillPath(plan.path, row)
  if (!path.ok) return path
  const headers: Record<string, string> = {}
  for (const [name, template] of Object.entries(plan.headers)) {
    const value = fillHeader(template, row)
    if (!value.ok) return { ok: false, message: `Header "${name}": ${value.message}` }
    headers[name] = value.text
  }
  const key = plan.idempotencyKey === null ? null : fillHeader(plan.idempotencyKey, row)
  if (key !== null && !key.ok) return { ok: false, message: `Idempotency key: ${key.message}` }
  if (key !== null && key.text.trim() === '') {
    return { ok: false, message: 'The idempotency key is empty for this row.' }
  }
  if (key !== null && headerOf(headers, 'idempotency-key') === undefined)
    headers[IDEMPOTENCY_HEADER] = key.text
  const form = bodyForm(headerOf(plan.headers, 'content-type'), plan.body)
  const hasBody = plan.body !== undefined && plan.body !== '' && !BODYLESS.has(plan.method)
  const body = hasBody ? fillBody(plan.body, row, form) : null
  if (body !== null && !body.ok) return { ok: false, message: `Body: ${body.message}` }
  if (body !== null && headerOf(headers, 'content-type') === undefined)
    headers['Content-Type'] = CONTENT_TYPES[form]
  return {
    ok: true,
    request: {
      method: plan.method,
      url: joinUrl(plan.endpoint, path.text),
      headers,
      body: body === null ? null : body.text,
      idempotencyKey: key === null ? null : key.text
    }
  }
}
