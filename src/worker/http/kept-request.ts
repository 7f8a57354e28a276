import { maskBody, maskHeaders, maskUrl } from '../../workflow/http/masking.ts'
import type { Request } from '../../workflow/http/request.ts'

const headerOf = (headers: Readonly<Record<string, string>>, wanted: string): string | undefined =>
  Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1]

/** A request as it is kept: what looks like a secret is masked. */
export const toKept = ({ method, url, headers, body }: Request) => ({
  method,
  url: maskUrl(url),
  headers: maskHeaders(headers),
  body: body === null ? null : maskBody(body, headerOf(headers, 'content-type'))
})

const hex = (bytes: ArrayBuffer): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')

/** What tells two requests apart: all that leaves. */
export const requestHash = async ({ method, url, headers, body }: Request): Promise<string> => {
  const text = JSON.stringify([method, url, Object.entries(headers).toSorted(), body])
  return hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

export const textHash = async (text: string): Promise<string> =>
  hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
