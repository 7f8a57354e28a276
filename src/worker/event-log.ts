import { FlowForgeError, type DbContext, type Event, type NewEvent } from '../db/ports.ts'
import type { Projection } from '../workflow/aggregate.ts'
import { checkPayload, readEvent } from '../workflow/aggregates.ts'
import { projectEvents } from './projections/inline.ts'

/** Appends events; those that FlowForge defines are parsed first and projected in the same transaction. */
export type EventLog = {
  append(event: NewEvent): Promise<Event>
  appendMany(events: readonly NewEvent[]): Promise<Event[]>
  /** The same inside a transaction that is already open. */
  appendWithin(tx: DbContext, events: readonly NewEvent[]): Promise<Event[]>
}

const aggregateTypeOf = (aggregateId: string): string => {
  const colon = aggregateId.indexOf(':')
  return colon === -1 ? 'default' : aggregateId.slice(0, colon)
}

/** True for a type that FlowForge defines. @throws FlowForgeError `INVALID_INPUT` where the payload does not fit it */
const isOwn = (event: NewEvent): boolean => {
  const checked = checkPayload({
    aggregateType: aggregateTypeOf(event.aggregateId),
    eventType: event.eventType,
    eventVersion: event.eventVersion ?? 1,
    payload: event.payload
  })
  if (checked === undefined) return false
  if (checked.ok) return true
  throw new FlowForgeError('INVALID_INPUT', checked.message, { issues: checked.issues })
}

const headOf = async (tx: DbContext): Promise<number> => {
  const rows = await tx.projectionStore.query({ sql: 'SELECT max(position) AS head FROM events' })
  return Number(rows[0]?.['head'] ?? 0)
}

export const createEventLog = (context: DbContext, projections: readonly Projection[]): EventLog => {
  const project = async (tx: DbContext, events: readonly Event[], after: number): Promise<void> => {
    const recorded = events.flatMap((event) => {
      // An id that was appended before answers with the stored event: its rows are there already.
      const read = event.position <= after ? undefined : readEvent(event)
      return read === undefined ? [] : [read]
    })
    await projectEvents(tx, projections, recorded)
  }

  const appendWithin = async (tx: DbContext, events: readonly NewEvent[]): Promise<Event[]> => {
    for (const event of events) isOwn(event)
    const head = await headOf(tx)
    const stored = await tx.eventStore.appendMany(events)
    await project(tx, stored, head)
    return stored
  }

  const appendMany = async (events: readonly NewEvent[]): Promise<Event[]> => {
    const own = events.filter(isOwn)
    if (own.length === 0) return context.eventStore.appendMany(events)
    return context.tx.runInTransaction((tx) => appendWithin(tx, events))
  }

  const append = async (event: NewEvent): Promise<Event> => {
    if (!isOwn(event)) return context.eventStore.append(event)
    const [stored] = await appendMany([event])
    if (stored === undefined) throw new FlowForgeError('INTERNAL', 'An append answered with no event.')
    return stored
  }

  return { append, appendMany, appendWithin }
}
