import type { DbContext, Event, RowChange } from '../../db/ports.ts'
import type { Projection, RecordedEvent } from '../../workflow/aggregate.ts'
import { readEvent } from '../../workflow/aggregates.ts'
import { readDirectWrites, type DirectWrite } from './direct-writes.ts'

/** Up to where something has been read: events up to `position`, direct writes up to `write`. */
export type Place = { readonly position: number; readonly write: number }

/** What a projection's rows come from, in order: events, and what callers wrote between them. */
export type Entry =
  | { readonly kind: 'event'; readonly position: number; readonly event: Event }
  | { readonly kind: 'write'; readonly position: number; readonly write: DirectWrite }

/** How many positions of the log are read, and written, at a time: a few dozen ms, in which nobody else has a turn. */
export const WINDOW = 2_000

/** Which events of which projections a person told to leave out; see `skipKey`. */
export type Skips = ReadonlySet<string>
export const skipKey = (projection: Projection, entryId: string): string =>
  `${projection.name}@${projection.version}/${entryId}`

/** The id by which an entry is told to a person and left out. */
export const idOf = (entry: Entry): string =>
  entry.kind === 'event' ? entry.event.id : `direct-write:${entry.write.id}`
export const typeOf = (entry: Entry): string =>
  entry.kind === 'event' ? entry.event.eventType : `${entry.write.change.op} of ${entry.write.change.table}`

export const headOf = async (context: DbContext): Promise<number> => {
  const [row] = await context.projectionStore.query({ sql: 'SELECT max(position) AS head FROM events' })
  return Number(row?.['head'] ?? 0)
}

/** Behind an entry. A write stands behind the event that it came after, and so does not move the position. */
export const placeAfter = (before: Place, entry: Entry): Place =>
  entry.kind === 'event'
    ? { ...before, position: entry.position }
    : { position: Math.max(before.position, entry.position), write: entry.write.id }

const decoder = new TextDecoder()

/**
 * The events of a window of the log that any of the projections hears. Read as the bytes that storage makes of them, in
 * a fraction of the time that rows take: reading is most of what a rebuild does.
 */
export const readHeard = async (
  context: DbContext,
  projections: readonly Projection[],
  afterPosition: number,
  upToPosition: number,
  limit = WINDOW
): Promise<Event[]> => {
  const eventTypes = [...new Set(projections.flatMap(({ hears }) => hears))]
  const bytes = await context.eventStore.readAllBytes({ afterPosition, upToPosition, limit, eventTypes })
  // Storage's own answer to a question for events; the payloads are parsed by their schemas when they are read.
  return JSON.parse(decoder.decode(bytes)) as Event[]
}

/**
 * What each of the projections has to replay behind `place` up to a position. Writes that came before an event stand
 * before it; `place.write` is the last one that all of them have.
 */
export const readWindow = async (
  context: DbContext,
  projections: readonly Projection[],
  place: Place,
  upToPosition: number,
  limit?: number
): Promise<{ events: readonly Event[]; writes: readonly DirectWrite[] }> => ({
  events: await readHeard(context, projections, place.position, upToPosition, limit),
  writes: await readDirectWrites(context, {
    projections: projections.map(({ name }) => name),
    afterWrite: place.write,
    upToPosition
  })
})

/** Those of a window that are one projection's, in order, without the writes up to `afterWrite`, which it has. */
export const entriesOf = (
  { name, hears }: Projection,
  { events, writes }: { readonly events: readonly Event[]; readonly writes: readonly DirectWrite[] },
  afterWrite: number
): Entry[] => {
  const heard = new Set(hears)
  const own = writes.filter(({ projection, id }) => projection === name && id > afterWrite)
  const entries: Entry[] = []
  let next = 0
  const addWrites = (before: number): void => {
    for (let write = own[next]; write !== undefined && write.afterPosition < before; write = own[++next]) {
      entries.push({ kind: 'write', position: write.afterPosition, write })
    }
  }
  for (const event of events) {
    if (!heard.has(event.eventType)) continue
    addWrites(event.position)
    entries.push({ kind: 'event', position: event.position, event })
  }
  addWrites(Number.POSITIVE_INFINITY)
  return entries
}

/** Reads stored events, each once however many projections hear it. */
export const createReader = (): ((event: Event) => RecordedEvent | undefined) => {
  const read = new Map<Event, RecordedEvent | undefined>()
  return (event) => {
    if (read.has(event)) return read.get(event)
    const recorded = readEvent(event)
    read.set(event, recorded)
    return recorded
  }
}

/** The changes that entries come to. @throws where one of them cannot be read or projected */
export const changesOf = (
  projection: Projection,
  entries: readonly Entry[],
  skips: Skips,
  read: (event: Event) => RecordedEvent | undefined
): RowChange[] => {
  const changes: RowChange[] = []
  for (const entry of entries) {
    if (skips.size > 0 && skips.has(skipKey(projection, idOf(entry)))) continue
    if (entry.kind === 'write') {
      changes.push(entry.write.change)
      continue
    }
    const event = read(entry.event)
    if (event !== undefined) changes.push(...projection.project(event))
  }
  return changes
}
