/** What a node says about trying again; both have defaults. */
export type RetryPolicy = { readonly times: number; readonly backoffMs: number }
export const DEFAULT_RETRY: RetryPolicy = { times: 3, backoffMs: 500 }

/** The longest pause between two attempts, in ms; a service that asks for more is not waited for. */
const LONGEST_BACKOFF_MS = 60_000
export const LONGEST_RETRY_AFTER_MS = 10 * 60_000

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
const REPEATABLE: ReadonlySet<string> = new Set(['PUT', 'DELETE'])

/**
 * May a request be sent again of which nobody knows whether it arrived? Safe methods change nothing (RFC 9110, 9.2.1).
 * PUT and DELETE mean the same when repeated; but something may have come in between, so the service must be able to
 * tell by a key that it is the same request.
 */
export const maySendAgain = (method: string, hasIdempotencyKey: boolean): boolean =>
  SAFE.has(method) || (REPEATABLE.has(method) && hasIdempotencyKey)

/** Statuses that say "not now": nothing was done, so any request may be sent again. */
const NOT_NOW: ReadonlySet<number> = new Set([425, 429, 503])
/** Statuses of a failure that may pass; it may have come after the work was done. */
const MAY_PASS: ReadonlySet<number> = new Set([408, 500, 502, 504])

export const isWorthAnotherTry = (status: number, method: string, hasIdempotencyKey: boolean): boolean =>
  NOT_NOW.has(status) || (MAY_PASS.has(status) && maySendAgain(method, hasIdempotencyKey))

/** `Retry-After` in ms from now (RFC 9110, 10.2.3: seconds or a date); null where it says nothing. */
export const parseRetryAfter = (header: string | null, nowMs: number): number | null => {
  if (header === null) return null
  const text = header.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1_000
  // Something like "5x" would be read as a date by some engines.
  const at = /[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs)
}

/**
 * The pause before attempt `attempt + 1` in ms: the base doubled each time, and a random part of it taken away ("equal
 * jitter": at least half), so that requests that failed together do not come back together. A service that says when
 * is never asked earlier.
 * @param random at least 0 and below 1
 */
export const backoffMs = (
  { backoffMs: base }: RetryPolicy,
  attempt: number,
  random: number,
  retryAfterMs: number | null
): number => {
  const full = Math.min(LONGEST_BACKOFF_MS, base * 2 ** (attempt - 1))
  const own = full / 2 + (full / 2) * random
  return Math.max(own, retryAfterMs === null ? 0 : retryAfterMs + (base / 2) * random)
}
