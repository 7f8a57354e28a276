import type { Event } from '../../src/db/ports.ts'
import type { Append, Heard, History, Intended, Load, Stored } from '../history/history.ts'

/** A call as it is under way: its outcome comes later, or never. */
export type OpenCall<C extends Append | Load> = Omit<C, 'outcome'> & { outcome: C['outcome'] }

/** A value that one client alone writes: what was acknowledged last, and what may have been written since. */
export type Register = { known: string | null; maybe: (string | null)[] }

export type RegisterKind = 'row' | 'blob' | 'snapshot'

/** All that was asked and answered on one disk, in all lives of the program. */
export type Facts = {
  readonly appends: OpenCall<Append>[]
  readonly loads: OpenCall<Load>[]
  readonly registers: Record<RegisterKind, Map<string, Register>>
  readonly heard: Stored[]
  /** Up to where the listener has heard everything. */
  heardUpTo: number
  /** A moment later than all before. */
  tick(): number
  /** A number that no other call has. */
  next(): number
}

export const createFacts = (): Facts => {
  let ticks = 0
  let calls = 0
  return {
    appends: [],
    loads: [],
    registers: { row: new Map(), blob: new Map(), snapshot: new Map() },
    heard: [],
    heardUpTo: 0,
    tick: () => (ticks += 1),
    next: () => (calls += 1)
  }
}

/** What an event says, in a form that is equal if and only if it is the same. */
export const contentOf = (event: {
  eventType: string
  payload: unknown
  metadata?: unknown
  causedByEventId?: string | null | undefined
}): string =>
  JSON.stringify([event.eventType, event.payload, event.metadata ?? null, event.causedByEventId ?? null])

/** Events without an id of their client's are known by a mark in their payload. */
export const toStored = (event: Event): Stored => ({
  id: typeof event.payload['mark'] === 'string' ? event.payload['mark'] : event.id,
  aggregateId: event.aggregateId,
  content: contentOf(event),
  seq: event.seq,
  position: event.position
})

/** The content of what a command brings about is the program's own decision: it is taken from the log. */
export const DECIDED = 'decided'

const decided = (append: Append, logged: ReadonlyMap<string, Stored>): Append => {
  if (append.events.every(({ content }) => content !== DECIDED)) return append
  const events = append.events.map((event): Intended => ({
    ...event,
    content: logged.get(event.id)?.content ?? event.content
  }))
  if (append.outcome.kind !== 'answered') return { ...append, events }
  const answer = events.map((event) => logged.get(event.id) ?? { ...event, seq: 0, position: 0 })
  return { ...append, events, outcome: { ...append.outcome, answer } }
}

export const toHistory = (facts: Facts, log: readonly Stored[], hasCaughtUp: boolean): History => {
  const logged = new Map(log.map((event) => [event.id, event]))
  const heard: Heard = {
    subscriber: 'listener',
    afterPosition: 0,
    events: facts.heard,
    isComplete: hasCaughtUp
  }
  return {
    appends: facts.appends.map((each) => decided(each, logged)),
    loads: facts.loads,
    heard: [heard],
    log
  }
}
