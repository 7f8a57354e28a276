import { FlowForgeError } from '../ports.ts'
import type { Settle, WaitingUnit } from './commit-group.ts'

/** Who waits, and since when in ms of `performance.now()`. */
export type Waiting = { readonly since: number; readonly settle: Settle } & (
  | ({ readonly kind: 'unit' } & WaitingUnit)
  | { readonly kind: 'transaction'; readonly start: () => Promise<void> }
)

const STUCK =
  'Waited too long for a transaction that does nothing. Code inside runInTransaction that awaits something else must ' +
  'use the context that it was given.'

/** Those who wait for their turn at the connection, in the order in which they came. */
export type WaitingLine = {
  readonly length: () => number
  add(waiting: Waiting): void
  /** Takes the units at the front, `limit` at the most. */
  takeUnits(limit: number): WaitingUnit[]
  /** Takes the transaction at the front, if there is one. */
  takeTransaction(): (() => Promise<void>) | undefined
  /** A transaction has been opened: from now on, and again with each sign of work, its idleness is measured. */
  opened(): void
  used(): void
  closed(): void
}

/**
 * @param idleLimitMs a transaction that did nothing for so long, while others wait, is taken for one that waits for
 *   them: they are refused with `TIMEOUT`, so that it can end
 */
export const createWaitingLine = (idleLimitMs: number): WaitingLine => {
  const line: Waiting[] = []
  let isOpen = false
  /** When something was last done in the open transaction, in ms of `performance.now()`. */
  let lastUsed = 0
  let watching: ReturnType<typeof setTimeout> | null = null

  const unwatch = (): void => {
    if (watching !== null) clearTimeout(watching)
    watching = null
  }

  const refuseStuck = (): void => {
    const since = performance.now() - idleLimitMs
    if (!isOpen || lastUsed > since) return
    const rest = line.findIndex((waiting) => waiting.since > since)
    const error = new FlowForgeError('TIMEOUT', STUCK)
    for (const { settle } of line.splice(0, rest === -1 ? line.length : rest)) settle.reject(error)
  }

  const watch = (): void => {
    const [longest] = line
    if (watching !== null || !isOpen || longest === undefined) return
    const now = performance.now()
    watching = setTimeout(
      () => {
        watching = null
        refuseStuck()
        watch()
      },
      idleLimitMs - Math.min(now - lastUsed, now - longest.since)
    )
  }

  return {
    length: () => line.length,
    add: (waiting) => {
      line.push(waiting)
      watch()
    },
    takeUnits: (limit) => {
      const end = line.slice(0, limit).findIndex((waiting) => waiting.kind !== 'unit')
      const taken = line.splice(0, end === -1 ? limit : end)
      return taken.flatMap((waiting) => (waiting.kind === 'unit' ? [waiting] : []))
    },
    takeTransaction: () => {
      const [next] = line
      if (next?.kind !== 'transaction') return undefined
      line.shift()
      return next.start
    },
    opened: () => {
      isOpen = true
      lastUsed = performance.now()
      watch()
    },
    used: () => {
      lastUsed = performance.now()
    },
    closed: () => {
      isOpen = false
      unwatch()
    }
  }
}
