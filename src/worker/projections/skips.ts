import type { DbContext } from '../../db/ports.ts'
import type { Projection } from '../../workflow/aggregate.ts'

/** Who told which version of a projection to leave out which event, and why it had to be. */
export type Skip = {
  readonly version: number
  readonly position: number
  readonly eventId: string
  readonly error: string
  readonly by: string
  readonly at: string
}

/** The keys of all skips, as `skipKey` makes them. */
export const loadSkips = async (context: DbContext): Promise<Set<string>> => {
  const rows = await context.projectionStore.query({
    sql: `SELECT projection || '@' || version || '/' || event_id AS "key" FROM projection_skips`
  })
  return new Set(rows.map((row) => String(row['key'])))
}

export const recordSkip = async (
  tx: DbContext,
  { name, version }: Projection,
  skip: Omit<Skip, 'version'>
): Promise<void> => {
  await tx.projectionStore.query({
    sql: `INSERT INTO projection_skips (projection, version, position, event_id, error, skipped_by, skipped_at)
          VALUES (?, ?, ?, ?, ?, ?, ?)`,
    params: [name, version, skip.position, skip.eventId, skip.error, skip.by, skip.at]
  })
}

export const listSkips = async (context: DbContext, name: string): Promise<Skip[]> => {
  const rows = await context.projectionStore.query({
    sql: `SELECT version, position, event_id, error, skipped_by, skipped_at FROM projection_skips
          WHERE projection = ? ORDER BY id`,
    params: [name]
  })
  return rows.map((row) => ({
    version: Number(row['version']),
    position: Number(row['position']),
    eventId: String(row['event_id']),
    error: String(row['error']),
    by: String(row['skipped_by']),
    at: String(row['skipped_at'])
  }))
}
