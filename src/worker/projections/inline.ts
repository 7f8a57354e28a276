import type { DbContext } from '../../db/ports.ts'
import type { Projection, RecordedEvent, RowChange } from '../../workflow/aggregate.ts'

/** The version stays that of the rows, which a grown definition's are not until they are rebuilt. */
const CHECKPOINTS = `INSERT INTO projection_checkpoints (projection, position, version, updated_at)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
  ON CONFLICT (projection) DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at`

/**
 * Projects events into every inline read model that hears them. Called inside the events' own transaction, so that rows,
 * checkpoints and events commit together and a writer reads what it wrote. An event that cannot be projected takes the
 * append with it.
 */
export const projectEvents = async (
  tx: DbContext,
  projections: readonly Projection[],
  events: readonly RecordedEvent[]
): Promise<void> => {
  const changes: RowChange[] = []
  const heard = new Map<Projection, RecordedEvent>()
  for (const event of events) {
    for (const projection of projections) {
      if (projection.mode !== 'inline' || !projection.hears.includes(event.type)) continue
      changes.push(...projection.project(event))
      heard.set(projection, event)
    }
  }
  if (heard.size === 0) return
  await tx.projectionStore.apply({ changes })
  const checkpoints = [...heard].map(([{ name, version }, { position, createdAt }]) => [
    name,
    position,
    version,
    createdAt
  ])
  await tx.projectionStore.query({ sql: CHECKPOINTS, params: [JSON.stringify(checkpoints)] })
}
