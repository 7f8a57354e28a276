import type { DbContext } from '../../db/ports.ts'
import type { Projection, RecordedEvent, RowChange } from '../../workflow/aggregate.ts'

const applyChange = (context: DbContext, change: RowChange): Promise<void> => {
  switch (change.op) {
    case 'upsert':
      return context.projectionStore.upsert({ table: change.table, rows: change.rows })
    case 'update':
      return context.projectionStore.update({ table: change.table, where: change.where, set: change.set })
    case 'remove':
      return context.projectionStore.remove({ table: change.table, where: change.where })
  }
}

export const applyChanges = async (context: DbContext, changes: readonly RowChange[]): Promise<void> => {
  for (const change of changes) await applyChange(context, change)
}

const saveCheckpoint = (context: DbContext, projection: Projection, position: number, at: string) =>
  context.projectionStore.query({
    sql: `INSERT INTO projection_checkpoints (projection, position, version, updated_at) VALUES (?1, ?2, ?3, ?4)
          ON CONFLICT (projection) DO UPDATE SET position = ?2, version = ?3, updated_at = ?4`,
    params: [projection.name, position, projection.version, at]
  })

/**
 * Projects one event into every read model that hears it. Called inside the event's own transaction, so that rows,
 * checkpoint and event commit together and a writer reads what it wrote.
 */
export const projectEvent = async (
  context: DbContext,
  projections: readonly Projection[],
  event: RecordedEvent
): Promise<void> => {
  for (const projection of projections) {
    if (!projection.hears.includes(event.type)) continue
    await applyChanges(context, projection.project(event))
    await saveCheckpoint(context, projection, event.position, event.createdAt)
  }
}
