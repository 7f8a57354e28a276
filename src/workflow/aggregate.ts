import type { z } from 'zod'

/** Why a command was not accepted, for a program (`reason`) and for a person (`message`). */
export type Refusal = {
  readonly ok: false
  readonly reason: string
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}
export type Decision<E> = { readonly ok: true; readonly events: readonly E[] } | Refusal

export const accept = <E>(...events: readonly E[]): Decision<E> => ({ ok: true, events })
export const refuse = (
  reason: string,
  message: string,
  details?: Readonly<Record<string, unknown>>
): Refusal =>
  details === undefined ? { ok: false, reason, message } : { ok: false, reason, message, details }

/** What a domain event is before it is stored: its type's name and a payload that fits the type's schema. */
export type DomainEvent = { readonly type: string; readonly payload: object }

/**
 * How one event type is read: the schema of its current version, and for each older version the step that brings a
 * payload one version up. `upcasters[0]` turns version 1 into 2.
 */
export type EventDefinition<P extends object = object> = {
  readonly version: number
  readonly schema: z.ZodType<P>
  readonly upcasters: readonly ((payload: Record<string, unknown>) => Record<string, unknown>)[]
}

/** An event type that has had one version so far. */
export const firstVersion = <P extends object>(schema: z.ZodType<P>): EventDefinition<P> => ({
  version: 1,
  schema,
  upcasters: []
})

/** The union of the events that a record of definitions describes: type's name and payload, told apart by `type`. */
export type EventsOf<Definitions extends Readonly<Record<string, EventDefinition>>> = {
  [Type in keyof Definitions & string]: {
    readonly type: Type
    readonly payload: z.infer<Definitions[Type]['schema']>
  }
}[keyof Definitions & string]

/** An aggregate as data: everything the worker needs to load it, decide for it and store what it decided. */
export type Aggregate<State, Command, E extends DomainEvent> = {
  /** The prefix of its ids, `aggregate_type` in the log. */
  readonly type: string
  /** Grows when the shape of `State` changes: older snapshots are then ignored. */
  readonly stateVersion: number
  readonly events: Readonly<Record<E['type'], EventDefinition>>
  readonly initial: State
  readonly evolve: (state: State, event: E) => State
  readonly decide: (state: State, command: Command) => Decision<E>
}

/** A stored event as a projection reads it: upcast to the current version and parsed. */
export type RecordedEvent<E extends DomainEvent = DomainEvent> = E & {
  readonly aggregateId: string
  readonly position: number
  readonly seq: number
  readonly createdAt: string
}

/** A row that a projection wants changed; applied in the order given, in the event's own transaction. */
export type RowChange =
  | {
      readonly op: 'upsert'
      readonly table: string
      readonly rows: readonly Readonly<Record<string, unknown>>[]
    }
  | {
      readonly op: 'update'
      readonly table: string
      readonly where: Readonly<Record<string, unknown>>
      readonly set: Readonly<Record<string, unknown>>
    }
  | { readonly op: 'remove'; readonly table: string; readonly where: Readonly<Record<string, unknown>> }

/** One read model: which tables are its own, what it hears, and how an event becomes rows. Pure. */
export type Projection = {
  readonly name: string
  /** Grows when `project` changes what it writes: the worker then rebuilds it from the log, by itself. */
  readonly version: number
  /**
   * `inline`: its rows are written in the transaction of the event itself. `async`: soon after it, in batches; for what
   * runs over many streams, and for what must not hold up nor refuse an append.
   */
  readonly mode: 'inline' | 'async'
  readonly tables: readonly string[]
  /** Views over its tables. */
  readonly views?: readonly string[]
  readonly hears: readonly string[]
  readonly project: (event: RecordedEvent) => readonly RowChange[]
}
