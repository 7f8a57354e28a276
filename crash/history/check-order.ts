import type { Append, History, Problem, Stored } from './history.ts'

/** When the event can have been appended: not before it was first asked for, not after it was first acknowledged. */
type Span = { readonly from: number; readonly until: number }

export const spansOf = (appends: readonly Append[]): Map<string, Span> => {
  const spans = new Map<string, Span>()
  for (const { events, invokedAt, outcome } of appends) {
    for (const { id } of events) {
      const known = spans.get(id) ?? { from: Infinity, until: Infinity }
      spans.set(id, {
        from: Math.min(known.from, invokedAt),
        until: outcome.kind === 'answered' ? Math.min(known.until, outcome.at) : known.until
      })
    }
  }
  return spans
}

/** What was acknowledged before another was asked for stands before it, whoever the clients were. */
const checkRealTime = (log: readonly Stored[], spans: ReadonlyMap<string, Span>): Problem[] => {
  const problems: Problem[] = []
  let earliest: { readonly until: number; readonly id: string } = { until: Infinity, id: '' }
  for (const event of log.toReversed()) {
    const span = spans.get(event.id)
    if (span === undefined) continue
    if (earliest.until < span.from) {
      const message = `${earliest.id} was acknowledged before ${event.id} was asked for, and stands after it`
      problems.push({ kind: 'reordered', message })
    }
    if (span.until < earliest.until) earliest = { until: span.until, id: event.id }
  }
  return problems
}

/** A call that may have been refused unheard: that it is missing says nothing. */
const mayBeMissing = ({ events, outcome }: Append): boolean =>
  outcome.kind !== 'unknown' ||
  outcome.failure !== undefined ||
  events.some(({ expectedSeq }) => expectedSeq !== undefined)

/** One client's calls, in the order in which it made them, against the places where their events stand. */
const checkClient = (
  calls: readonly Append[],
  placesOf: (append: Append) => readonly number[]
): Problem[] => {
  const problems: Problem[] = []
  let last = 0
  let missing: Append | null = null
  for (const append of calls) {
    const name = `${append.client}/${append.index}`
    const places = placesOf(append)
    if (places.length === 0) {
      if (append.events.length > 0 && !mayBeMissing(append)) missing = append
      continue
    }
    if (missing !== null && missing.life === append.life) {
      const message = `${name} is in the log, and ${missing.client}/${missing.index}, made before it, is not`
      problems.push({ kind: 'skipped', message })
    }
    if (Math.min(...places) <= last) {
      const message = `${name} stands before a call that its client made earlier`
      problems.push({ kind: 'reordered', message })
    }
    if (places.some((place, at) => place <= (places[at - 1] ?? 0))) {
      problems.push({ kind: 'reordered', message: `the events of ${name} stand in another order` })
    }
    last = Math.max(last, ...places)
  }
  return problems
}

/**
 * A client's calls land in the order in which it made them, also those that it did not wait for; and where a later one
 * landed, an earlier one of the same life that nobody refused did too. An id that was appended more than once stands
 * where it first landed, and says nothing of the order.
 */
const checkClients = (appends: readonly Append[], log: readonly Stored[]): Problem[] => {
  const positions = new Map(log.map(({ id, position }) => [id, position]))
  const uses = new Map<string, number>()
  for (const { events } of appends) for (const { id } of events) uses.set(id, (uses.get(id) ?? 0) + 1)
  const calls = appends
    .filter(({ events }) => events.every(({ id }) => uses.get(id) === 1))
    .toSorted((left, right) => left.index - right.index)
  return [...new Set(calls.map(({ client }) => client))].flatMap((client) =>
    checkClient(
      calls.filter((append) => append.client === client),
      ({ events }) => events.flatMap(({ id }) => positions.get(id) ?? [])
    )
  )
}

export const checkOrder = ({ appends, log }: History): Problem[] => [
  ...checkRealTime(log, spansOf(appends)),
  ...checkClients(appends, log)
]
