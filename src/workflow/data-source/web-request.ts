import { z } from 'zod'
import { MASK, maskHeaders, maskUrl } from '../http/masking.ts'
import { DEFAULT_RETRY } from '../http/retry.ts'
import { HeaderName, Pointer } from '../nodes/http-spec.ts'

/** An address over http; who asks is no part of it. */
const Address = z
  .string()
  .regex(/^https?:\/\/[^\s/?#@\\]+([/?][^\s#\\]*)?$/i, 'an address that begins with http:// or https://')
const Parameter = z.string().min(1).max(200)

/** How a service gives more than it gives at once. */
export const Paging = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  /** The `Link` header with `rel=next` says where the next page is (RFC 8288). */
  z.strictObject({ type: z.literal('link-header') }),
  /** The answer holds, at the pointer, what the parameter is to be for the next page; nothing there ends it. */
  z.strictObject({ type: z.literal('cursor'), pointer: Pointer, parameter: Parameter }),
  /** Numbered pages, until one is empty. */
  z.strictObject({ type: z.literal('page'), parameter: Parameter, first: z.int().min(0).default(1) })
])
export type Paging = z.infer<typeof Paging>

const MEGABYTE = 1024 * 1024

/** What is asked for to get a data source's rows, and how much of it. */
export const WebRequest = z
  .strictObject({
    url: Address,
    headers: z.record(HeaderName, z.string()).default({}),
    format: z.enum(['json', 'ndjson', 'csv']),
    /** Where in a JSON answer the list of rows stands; empty where the answer is the list. */
    rows: Pointer.default(''),
    paging: Paging.default({ type: 'none' }),
    limits: z
      .strictObject({
        pages: z.int().min(1).max(10_000).default(1_000),
        bytes: z
          .int()
          .min(1)
          .max(1024 * MEGABYTE)
          .default(256 * MEGABYTE)
      })
      .default({ pages: 1_000, bytes: 256 * MEGABYTE }),
    timeoutMs: z.int().min(1).max(600_000).default(30_000),
    retry: z
      .strictObject({ times: z.int().min(0).max(20), backoffMs: z.int().min(0) })
      .default({ ...DEFAULT_RETRY })
  })
  .refine(({ format, paging }) => paging.type !== 'cursor' || format === 'json', {
    path: ['paging'],
    message: 'a cursor is read from a JSON answer: choose JSON, or page in another way'
  })
export type WebRequest = z.infer<typeof WebRequest>

/** The request as it may be kept: what looks like a secret is masked, and has to be given again to fetch. */
export const withoutSecrets = (request: WebRequest): WebRequest => ({
  ...request,
  url: maskUrl(request.url),
  headers: { ...maskHeaders(request.headers) }
})

const maskedPair = /([?&])([^=&]*)=\*\*\*(?=&|$)/g

/** Names of the headers and parameters whose values are not kept. */
export const missingSecrets = ({ url, headers }: Pick<WebRequest, 'url' | 'headers'>): string[] => [
  ...Object.keys(headers).filter((name) => headers[name] === MASK),
  ...Array.from(url.matchAll(maskedPair), ([, , name = '']) => name)
]

/** Puts values in the place of what is masked; what is not given stays masked. */
export const withSecrets = (request: WebRequest, secrets: Readonly<Record<string, string>>): WebRequest => {
  const given = (name: string): string | undefined =>
    Object.hasOwn(secrets, name) ? secrets[name] : undefined
  return {
    ...request,
    url: request.url.replaceAll(maskedPair, (pair, mark: string, name: string) => {
      const value = given(name)
      return value === undefined ? pair : `${mark}${name}=${encodeURIComponent(value)}`
    }),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        value === MASK ? (given(name) ?? value) : value
      ])
    )
  }
}
