import type { DbContext, EventStorePort } from '../ports.ts'

/**
 * A context that archives whatever it can after each append: what is read, checked or refused next comes through
 * segments. The log's newest event alone stands in the table.
 */
export const archivingContext = async (opened: Promise<DbContext>): Promise<DbContext> => {
  const context = await opened
  const streams = new Set<string>()
  let moves: Promise<unknown> = Promise.resolve()
  const moveAll = (): Promise<unknown> => {
    moves = moves.then(() => context.archive.move({ aggregateIds: [...streams] }))
    return moves
  }
  const appendMany: EventStorePort['appendMany'] = async (events) => {
    const stored = await context.eventStore.appendMany(events)
    for (const { aggregateId } of stored) streams.add(aggregateId)
    await moveAll()
    return stored
  }
  const append: EventStorePort['append'] = async (event) => {
    const stored = await context.eventStore.append(event)
    streams.add(stored.aggregateId)
    await moveAll()
    return stored
  }
  return { ...context, eventStore: { ...context.eventStore, append, appendMany } }
}
