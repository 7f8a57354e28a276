import { FlowForgeError, type DbContext, type ErrorCode, type Event, type JsonObject } from '../db/ports.ts'
import type { Aggregate, DomainEvent, Refusal } from '../workflow/aggregate.ts'
import { replay } from '../workflow/aggregates.ts'
import type { EventLog } from './event-log.ts'
import { isCallNoted, noteCall } from './once.ts'
import { systemWorld, type World } from './world.ts'

/** An event that leads to others, and the id that all that stems from one command of a caller has in common. */
export type Cause = { readonly eventId: string; readonly correlationId: string }

export type Loaded<State> = {
  readonly state: State
  readonly seq: number
  readonly savedAt: string | null
  /** The first event that the commands stored, as the cause of what follows; none where they stored nothing. */
  readonly cause?: Cause
}

/** Loads aggregates and carries out commands on them: decide, append, project, all in one transaction. */
export type AggregateStore = {
  load<State, Command, E extends DomainEvent>(
    aggregate: Aggregate<State, Command, E>,
    aggregateId: string
  ): Promise<Loaded<State>>
  /** @throws FlowForgeError for what the aggregate refuses: `NOT_FOUND`, `CONFLICT` or `INVALID_INPUT` */
  execute<State, Command, E extends DomainEvent>(
    aggregate: Aggregate<State, Command, E>,
    aggregateId: string,
    ...commands: readonly Command[]
  ): Promise<Loaded<State>>
  /**
   * The same for commands of one call, which may be sent again when a leader dies before it has answered: what was
   * carried out under this id is not carried out again, and answered with the aggregate as it is now.
   */
  once(callId: string | undefined): Pick<AggregateStore, 'execute'> & {
    /** Whether it was carried out before; for a call that looks at more than the aggregate. */
    wasCarriedOut(): Promise<boolean>
  }
  /** The same for commands that follow from an event: theirs name it as their cause, and keep its correlation id. */
  causedBy(cause: Cause | undefined): Pick<AggregateStore, 'execute'>
  /** The same inside a transaction that is already open, whatever else is awaited in it. */
  within(tx: DbContext): AggregateStore
}

/** A snapshot is taken when a stream has grown by this many events since the last. */
const SNAPSHOT_EVERY = 100

/** States are plain JSON by their definition; this is where the compiler is told. */
const toJson = (state: unknown): JsonObject => state as JsonObject

const codeOf = (refusal: Refusal): ErrorCode => {
  if (refusal.reason.startsWith('unknown-') || refusal.reason.endsWith('-removed')) return 'NOT_FOUND'
  return refusal.reason.endsWith('-exists') || refusal.reason.startsWith('run-')
    ? 'CONFLICT'
    : 'INVALID_INPUT'
}

const toError = (refusal: Refusal): FlowForgeError =>
  new FlowForgeError(codeOf(refusal), refusal.message, { reason: refusal.reason, ...refusal.details })

const loadFrom = async <State, Command, E extends DomainEvent>(
  context: DbContext,
  aggregate: Aggregate<State, Command, E>,
  aggregateId: string
): Promise<Loaded<State> & { snapshotSeq: number }> => {
  const snapshot = await context.eventStore.latestSnapshot({ aggregateId })
  const usable = snapshot !== null && snapshot.stateVersion === aggregate.stateVersion ? snapshot : null
  const events = await context.eventStore.load({ aggregateId, afterSeq: usable?.lastSeq ?? 0 })
  // Only this store writes snapshots of these aggregates, in this state version.
  const start = usable === null ? aggregate.initial : (usable.state as State)
  const last: Event | undefined = events.at(-1)
  return {
    state: replay(aggregate, start, events),
    seq: last?.seq ?? usable?.lastSeq ?? 0,
    savedAt: last?.createdAt ?? usable?.createdAt ?? null,
    snapshotSeq: usable?.lastSeq ?? 0
  }
}

/** The ids of the events that a call brings about. */
const eventIdOf = (callId: string, index: number): string => `${callId}/${index}`

const isStored = async (tx: DbContext, eventId: string): Promise<boolean> => {
  const sql = 'SELECT 1 FROM log_index WHERE id = ?'
  return (await tx.projectionStore.query({ sql, params: [eventId] })).length > 0
}

/** Its first event is stored, or that it brought none about is noted: then all of it was carried out. */
const wasCarriedOut = async (tx: DbContext, callId: string): Promise<boolean> =>
  (await isStored(tx, eventIdOf(callId, 0))) || (await isCallNoted(tx, callId))

const correlationOf = (event: Event): string => {
  const id = event.metadata?.['correlation_id']
  return typeof id === 'string' ? id : event.id
}

/** A stored event as the cause of others; one from before there were correlation ids begins a correlation of its own. */
export const causeOf = (event: Event): Cause => ({
  eventId: event.id,
  correlationId: correlationOf(event)
})

/** What commands bring about, each decided on what those before it lead to. @throws FlowForgeError for the first refused */
const decideAll = <State, Command, E extends DomainEvent>(
  aggregate: Aggregate<State, Command, E>,
  before: State,
  commands: readonly Command[]
): readonly E[] => {
  const decided: E[] = []
  let state = before
  for (const command of commands) {
    const decision = aggregate.decide(state, command)
    if (!decision.ok) throw toError(decision)
    for (const event of decision.events) state = aggregate.evolve(state, event)
    decided.push(...decision.events)
  }
  return decided
}

const executing = (
  context: DbContext,
  log: EventLog,
  world: World,
  { callId, cause }: { callId?: string | undefined; cause?: Cause | undefined }
): Pick<AggregateStore, 'execute'> => ({
  execute: (aggregate, aggregateId, ...commands) =>
    context.tx.runInTransaction(async (tx) => {
      const before = await loadFrom(tx, aggregate, aggregateId)
      if (callId !== undefined && (await wasCarriedOut(tx, callId))) return before
      const decided = decideAll(aggregate, before.state, commands)
      const metadata = { correlation_id: cause?.correlationId ?? callId ?? world.newId() }
      const stored =
        decided.length === 0
          ? []
          : await log.appendWithin(
              tx,
              decided.map((event, index) => ({
                aggregateId,
                eventType: event.type,
                eventVersion: aggregate.events[event.type as keyof typeof aggregate.events].version,
                payload: { ...event.payload },
                metadata,
                ...(cause === undefined ? {} : { causedByEventId: cause.eventId }),
                ...(index === 0 ? { expectedSeq: before.seq } : {}),
                ...(callId === undefined ? {} : { id: eventIdOf(callId, index) })
              }))
            )
      const [first, last] = [stored[0], stored.at(-1)]
      const state = replay(aggregate, before.state, stored)
      const seq = last?.seq ?? before.seq
      // Decided a second time, after what others did in between, it might bring something about.
      if (callId !== undefined && first === undefined) await noteCall(tx, callId, world.now())
      if (seq - before.snapshotSeq >= SNAPSHOT_EVERY) {
        await tx.eventStore.saveSnapshot({
          aggregateId,
          lastSeq: seq,
          state: toJson(state),
          stateVersion: aggregate.stateVersion
        })
      }
      return {
        state,
        seq,
        savedAt: last?.createdAt ?? before.savedAt,
        ...(first === undefined ? {} : { cause: causeOf(first) })
      }
    })
})

export const createAggregateStore = (
  context: DbContext,
  log: EventLog,
  world: World = systemWorld
): AggregateStore => ({
  load: async (aggregate, aggregateId) => loadFrom(context, aggregate, aggregateId),
  ...executing(context, log, world, {}),
  causedBy: (cause) => executing(context, log, world, { cause }),
  within: (tx) => createAggregateStore(tx, log, world),
  once: (callId) => ({
    ...executing(context, log, world, { callId }),
    wasCarriedOut: async () => callId !== undefined && wasCarriedOut(context, callId)
  })
})
