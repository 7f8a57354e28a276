import type { z } from 'zod'
import type { Aggregate, DomainEvent, EventDefinition, RecordedEvent } from './aggregate.ts'
import { catalogAggregate } from './catalog/catalog-item.ts'
import { dataSourceAggregate } from './data-source/data-source.ts'
import { requestsAggregate } from './requests/requests.ts'
import { runAggregate } from './run/run.ts'
import { workflowAggregate } from './workflow/workflow.ts'

/** Every aggregate that FlowForge defines. */
export const AGGREGATES = [
  workflowAggregate,
  runAggregate,
  dataSourceAggregate,
  catalogAggregate,
  requestsAggregate
] as const

/** An event as storage gives it back. */
export type StoredEvent = {
  readonly aggregateId: string
  readonly aggregateType: string
  readonly eventType: string
  readonly eventVersion: number
  readonly position: number
  readonly seq: number
  readonly createdAt: string
  readonly payload: Readonly<Record<string, unknown>>
}

export type EventIdentity = Pick<StoredEvent, 'aggregateType' | 'eventType' | 'eventVersion' | 'payload'>

export type CheckedPayload =
  | { readonly ok: true; readonly payload: Record<string, unknown> }
  | { readonly ok: false; readonly message: string; readonly issues: readonly z.core.$ZodIssue[] }

const definitionOf = (aggregateType: string, eventType: string): EventDefinition | undefined => {
  const aggregate = AGGREGATES.find(({ type }) => type === aggregateType)
  const events: Readonly<Record<string, EventDefinition>> = aggregate?.events ?? {}
  return Object.hasOwn(events, eventType) ? events[eventType] : undefined
}

const upcast = (definition: EventDefinition, event: EventIdentity): Record<string, unknown> =>
  definition.upcasters
    .slice(event.eventVersion - 1)
    .reduce((payload, upcaster) => upcaster(payload), { ...event.payload })

/**
 * Does the payload fit the event type? Undefined for a type that FlowForge does not define: it is stored and left
 * alone. An accepted payload is of the type's current version, its defaults filled in.
 */
export const checkPayload = (event: EventIdentity): CheckedPayload | undefined => {
  const definition = definitionOf(event.aggregateType, event.eventType)
  if (definition === undefined) return undefined
  const { eventType, eventVersion } = event
  if (eventVersion > definition.version) {
    const message = `${eventType} is of version ${eventVersion}; this FlowForge knows it up to ${definition.version}. Update FlowForge.`
    return { ok: false, message, issues: [] }
  }
  const parsed = definition.schema.safeParse(upcast(definition, event))
  if (parsed.success) return { ok: true, payload: { ...parsed.data } }
  const first = parsed.error.issues[0]
  const message = `${eventType} does not fit its schema: ${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`
  return { ok: false, message, issues: parsed.error.issues }
}

/**
 * A stored event, upcast to its type's current version and parsed; undefined for a type that FlowForge does not define.
 * @throws Error where a known type's payload cannot be read: the log is damaged, or newer than this FlowForge
 */
export const readEvent = (stored: StoredEvent): RecordedEvent | undefined => {
  const checked = checkPayload(stored)
  if (checked === undefined) return undefined
  if (!checked.ok) {
    throw new Error(`Event ${stored.seq} of ${stored.aggregateId} cannot be read. ${checked.message}`, {
      cause: checked.issues
    })
  }
  return {
    type: stored.eventType,
    payload: checked.payload,
    aggregateId: stored.aggregateId,
    position: stored.position,
    seq: stored.seq,
    createdAt: stored.createdAt
  }
}

/** An aggregate's state after further events of its stream, those of types that it does not define left out. */
export const replay = <State, Command, E extends DomainEvent>(
  aggregate: Aggregate<State, Command, E>,
  state: State,
  events: readonly StoredEvent[]
): State => {
  // The event was parsed by the schema that the aggregate itself names for its type; TypeScript cannot follow that.
  const isOwn = (event: DomainEvent): event is E => Object.hasOwn(aggregate.events, event.type)
  return events.reduce((current, stored) => {
    if (stored.aggregateType !== aggregate.type) return current
    const event = readEvent(stored)
    return event !== undefined && isOwn(event) ? aggregate.evolve(current, event) : current
  }, state)
}
