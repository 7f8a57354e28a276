import { FlowForgeError, toFlowForgeError, type DbContext, type ErrorCode } from '../../db/ports.ts'
import type { Projection } from '../../workflow/aggregate.ts'
import type { Deferred } from '../deferred.ts'
import { idOf, typeOf, type Entry, type Skips } from './replay.ts'
import { saveState, type ProjectionState } from './states.ts'

/** A projection while the program runs. */
export type Live = {
  readonly projection: Projection
  /** As it is stored. */
  state: ProjectionState
  /** Async: how far it has looked; past its checkpoint where nothing was for it. */
  scanned: number
  /** A batch failed: up to this position it goes entry by entry, to find the one that fails. */
  singlyUpTo: number
  /** Its copies could not be put in place together with others'. */
  swapsAlone: boolean
  /** The entry that fails, and how often it has. */
  failing: { readonly id: string; readonly attempts: number } | null
  /** Waits before it tries again. */
  isResting: boolean
  /** For those who wait for the end of its rebuild. */
  rebuilt: Deferred<void> | null
}

export type Parts = {
  readonly context: DbContext
  readonly now: () => string
  /** Resolves after so many ms. */
  readonly wait: (ms: number) => Promise<void>
  readonly skips: () => Skips
  /** Called when a projection that rested may go on. */
  readonly wake: () => void
}

/** How long an entry that failed is left before it is tried again, in ms; after the last try the projection is parked. */
export const BACKOFF_MS = [200, 1_000] as const

/** Failures of the storage or of the call say nothing about the entry: it is tried again for as long as it takes. */
const PASSING: readonly ErrorCode[] = [
  'STORAGE_FULL',
  'STORAGE_UNAVAILABLE',
  'TIMEOUT',
  'CANCELED',
  'WORKER_LOST'
]

/** @throws what was thrown, where it is no fault of an entry */
export const expectFault = (thrown: unknown): string => {
  const { code, message } = toFlowForgeError(thrown)
  if (PASSING.includes(code)) throw thrown
  return message
}

export const rest = ({ wait, wake }: Parts, live: Live, ms: number): void => {
  live.isResting = true
  void wait(ms).then(() => {
    live.isResting = false
    wake()
  })
}

const park = async (
  { context, now }: Parts,
  live: Live,
  parked: Omit<NonNullable<ProjectionState['parked']>, 'at'>
): Promise<void> => {
  const state = { ...live.state, parked: { ...parked, at: now() } }
  await saveState(context, live.projection.name, state)
  live.state = state
  live.failing = null
  console.warn(`The projection ${live.projection.name} stands still`, state.parked)
  const { rebuilt } = live
  live.rebuilt = null
  const message = `The rebuild of "${live.projection.name}" stands still at position ${parked.position}. ${parked.error}`
  rebuilt?.reject(new FlowForgeError('CONFLICT', message, { projection: live.projection.name, ...parked }))
}

/** An entry failed: it is tried again after a while, and after the last try the projection stands still there. */
export const failAt = async (parts: Parts, live: Live, entry: Entry, thrown: unknown): Promise<void> => {
  const error = expectFault(thrown)
  const id = idOf(entry)
  const attempts = live.failing?.id === id ? live.failing.attempts + 1 : 1
  live.failing = { id, attempts }
  const backoff = BACKOFF_MS[attempts - 1]
  if (backoff !== undefined) return rest(parts, live, backoff)
  return park(parts, live, {
    position: entry.position,
    eventId: id,
    eventType: typeOf(entry),
    error,
    attempts
  })
}

/** Its rows as a whole were refused by their tables: no entry can be named. */
export const failAsWhole = (parts: Parts, live: Live, thrown: unknown): Promise<void> =>
  park(parts, live, {
    position: live.state.rebuild?.position ?? 0,
    eventId: null,
    eventType: '',
    error: `Its rebuilt rows do not fit their tables. ${expectFault(thrown)}`,
    attempts: 1
  })

/** What they would read next cannot be read, by any of them: not an entry's fault, and not one that passes by itself. */
export const parkUnreadable = async (
  parts: Parts,
  group: readonly Live[],
  error: FlowForgeError
): Promise<void> => {
  for (const live of group) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await park(parts, live, {
      position: live.state.rebuild?.position ?? live.scanned,
      eventId: null,
      eventType: '',
      error: error.message,
      attempts: 1
    })
  }
}
