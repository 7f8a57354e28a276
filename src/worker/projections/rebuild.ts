import type { DbContext, Event } from '../../db/ports.ts'
import type { Projection, RecordedEvent } from '../../workflow/aggregate.ts'
import { projectEvent } from './inline.ts'

const BATCH = 1_000

/** The stored versions of projections, by name. */
const storedVersions = async (context: DbContext): Promise<Map<string, number>> => {
  const rows = await context.projectionStore.query({
    sql: 'SELECT projection, version FROM projection_checkpoints'
  })
  return new Map(rows.map((row) => [String(row['projection']), Number(row['version'])]))
}

/** Empties the projections' tables and fills them again from the log, in one transaction. */
export const rebuild = async (
  context: DbContext,
  projections: readonly Projection[],
  read: (event: Event) => RecordedEvent | undefined
): Promise<void> => {
  await context.tx.runInTransaction(async (tx) => {
    await tx.projectionStore.query({ sql: 'PRAGMA defer_foreign_keys = ON' })
    const tables = projections.flatMap((projection) => projection.tables)
    for (const table of tables.toReversed()) await tx.projectionStore.truncate({ table })
    let afterPosition = 0
    for (;;) {
      const events = await tx.eventStore.readAll({ afterPosition, limit: BATCH })
      for (const event of events) {
        const recorded = read(event)
        if (recorded !== undefined) await projectEvent(tx, projections, recorded)
      }
      const last = events.at(-1)
      if (last === undefined || events.length < BATCH) return
      afterPosition = last.position
    }
  })
}

/**
 * Rebuilds, at the start, the projections whose definition has changed since their rows were written. Tables refer to
 * each other, so one changed projection rebuilds all.
 */
export const rebuildIfOutdated = async (
  context: DbContext,
  projections: readonly Projection[],
  read: (event: Event) => RecordedEvent | undefined
): Promise<boolean> => {
  const stored = await storedVersions(context)
  const isOutdated = projections.some(({ name, version }) => stored.has(name) && stored.get(name) !== version)
  if (isOutdated) await rebuild(context, projections, read)
  return isOutdated
}
