import { isFlowForgeError, type DbContext, type Event, type NewEvent } from '../../src/db/ports.ts'
import type { AggregateStore } from '../../src/worker/aggregate-store.ts'
import type { EventLog } from '../../src/worker/event-log.ts'
import type { Projections } from '../../src/worker/projections/projections.ts'
import type { Append, Intended, Outcome, Stored } from '../history/history.ts'
import type { Random } from '../random.ts'
import { contentOf, toStored, type Facts, type OpenCall, type Register, type RegisterKind } from './facts.ts'
import type { Life } from './life.ts'
import type { Scheduler } from './scheduler.ts'

/** What one client works with: the program's calls, and where it notes what it asked and was answered. */
export type Workbench = {
  readonly client: string
  readonly lifeName: string
  readonly life: Life
  readonly context: DbContext
  readonly log: EventLog
  readonly aggregates: AggregateStore
  readonly projections: Projections
  readonly scheduler: Scheduler
  readonly random: Random
  readonly facts: Facts
  /** Which calls are under way, for the report. */
  readonly underWay: Map<string, number>
  /** A call failed, and not because of what was asked. */
  readonly onFailure: (thrown: unknown) => void
}

/** Thrown by a client inside its own transaction. */
export const CHANGED_MIND = 'CHANGED_MIND'
export class ChangedMind extends Error {
  override readonly name = 'ChangedMind'
}

/** Errors after which nothing can have been stored. Any other leaves it open: a commit may have failed half-way. */
const DEFINITE = new Set(['CONFLICT', 'INVALID_INPUT', 'NOT_FOUND', 'NOT_ALLOWED', CHANGED_MIND])

const codeOf = (thrown: unknown): string => {
  if (thrown instanceof ChangedMind) return CHANGED_MIND
  // The program has its own copy of the class.
  const code: unknown = Reflect.get(Object(thrown), 'code')
  return isFlowForgeError(thrown) || typeof code === 'string' ? String(code) : 'THROWN'
}

const actualSeqOf = (thrown: unknown): { actualSeq?: number } => {
  const details: unknown = Reflect.get(Object(thrown), 'details')
  const seq: unknown = Reflect.get(Object(details), 'actualSeq')
  return typeof seq === 'number' ? { actualSeq: seq } : {}
}

/** Waits for a call, and says how it ended; a dead program's answers never reach anybody. */
export const outcomeOf = async <Answer>(
  bench: Workbench,
  kind: string,
  call: () => Promise<Answer>
): Promise<Outcome<Answer>> => {
  const { underWay, life, facts } = bench
  underWay.set(kind, (underWay.get(kind) ?? 0) + 1)
  const end = (): void => {
    if (!life.killer.isDead()) underWay.set(kind, (underWay.get(kind) ?? 1) - 1)
  }
  try {
    const answer = await call()
    end()
    return life.killer.isDead() ? { kind: 'unknown' } : { kind: 'answered', at: facts.tick(), answer }
  } catch (thrown) {
    end()
    if (life.killer.isDead()) return { kind: 'unknown' }
    const code = codeOf(thrown)
    if (DEFINITE.has(code)) {
      return { kind: 'refused', at: facts.tick(), failure: { code, ...actualSeqOf(thrown) } }
    }
    bench.onFailure(thrown)
    return { kind: 'unknown', failure: { code } }
  }
}

const noteAppend = (bench: Workbench, events: readonly Intended[]): OpenCall<Append> => {
  const append: OpenCall<Append> = {
    kind: 'append',
    client: bench.client,
    index: bench.facts.next(),
    life: bench.lifeName,
    invokedAt: bench.facts.tick(),
    events,
    outcome: { kind: 'unknown' }
  }
  bench.facts.appends.push(append)
  return append
}

export const toIntended = (event: NewEvent): Intended => ({
  id: typeof event.payload['mark'] === 'string' ? event.payload['mark'] : String(event.id),
  aggregateId: event.aggregateId,
  content: contentOf(event),
  ...(event.expectedSeq === undefined ? {} : { expectedSeq: event.expectedSeq })
})

/** Notes a call that appends, and how it ended. */
export const appendNoted = async (
  bench: Workbench,
  kind: string,
  events: readonly Intended[],
  call: () => Promise<readonly Event[]>
): Promise<readonly Stored[] | null> => {
  const append = noteAppend(bench, events)
  append.outcome = await outcomeOf(bench, kind, async () => (await call()).map(toStored))
  return append.outcome.kind === 'answered' ? append.outcome.answer : null
}

/** Notes that a value is being written, and what came of it. */
export const writeNoted = async (
  bench: Workbench,
  kind: RegisterKind,
  key: string,
  value: string | null,
  call: () => Promise<unknown>
): Promise<void> => {
  const registers = bench.facts.registers[kind]
  const register: Register = registers.get(key) ?? { known: null, maybe: [] }
  registers.set(key, register)
  register.maybe.push(value)
  const outcome = await outcomeOf(bench, kind, call)
  if (outcome.kind === 'answered') {
    register.known = value
    register.maybe = []
  }
  if (outcome.kind === 'refused') register.maybe.pop()
}
