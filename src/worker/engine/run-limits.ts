import { FlowForgeError } from '../../db/ports.ts'
import { canceledError } from './engine-errors.ts'

/** What a run may write, and how long it may take. */
export type Limits = {
  readonly rows?: number | undefined
  readonly bytes?: number | undefined
  readonly ms?: number | undefined
}

/** What earlier attempts of the same run wrote, and how long they took. */
export type Spent = { readonly rows: number; readonly bytes: number; readonly ms: number }

export type LimitWatch = {
  /** Aborts when the caller's signal does, or when a limit is passed. */
  readonly signal: AbortSignal
  /** Rows and bytes that were written since it was last told. */
  readonly wrote: (amount: { readonly rows?: number; readonly bytes?: number }) => void
  /** The limit that was passed; null where none was. */
  readonly passed: () => FlowForgeError | null
  readonly end: () => void
}

const said = (value: number): string => value.toLocaleString('en')

const ENDS = {
  rows: (limit: number) =>
    `This run wrote more than ${said(limit)} rows, which is its limit. Raise the limit, or filter rows earlier.`,
  bytes: (limit: number) =>
    `This run wrote more than ${said(limit)} bytes, which is its limit. Raise the limit, or drop columns or rows earlier.`,
  ms: (limit: number) =>
    `This run took longer than ${said(limit)} ms, which is its limit. Raise the limit, or run on a part of the data.`
} as const

/** Watches a run's limits; passing one ends it as a cancel would, with the limit as the reason. */
export const watchLimits = (
  limits: Limits,
  signal: AbortSignal,
  spent: Spent = { rows: 0, bytes: 0, ms: 0 }
): LimitWatch => {
  const abortion = new AbortController()
  const written = { rows: spent.rows, bytes: spent.bytes }
  let passed: FlowForgeError | null = null

  const pass = (what: keyof typeof ENDS, limit: number, found: number | null): void => {
    if (passed !== null || abortion.signal.aborted) return
    passed = new FlowForgeError('INVALID_INPUT', ENDS[what](limit), {
      reason: `limit-${what}`,
      limit,
      ...(found === null ? {} : { found })
    })
    abortion.abort()
  }
  const onAbort = (): void => abortion.abort()
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  const { ms } = limits
  const timer =
    ms === undefined ? undefined : setTimeout(() => pass('ms', ms, null), Math.max(0, ms - spent.ms))

  return {
    signal: abortion.signal,
    wrote: (amount) => {
      for (const what of ['rows', 'bytes'] as const) {
        written[what] += amount[what] ?? 0
        const limit = limits[what]
        if (limit !== undefined && written[what] > limit) pass(what, limit, written[what])
      }
      if (passed !== null) throw canceledError()
    },
    passed: () => passed,
    end: () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }
}
