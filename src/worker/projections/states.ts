import { z } from 'zod'
import type { DbContext } from '../../db/ports.ts'

/** The entry of the log at which a projection stands still; `eventId` is null where its rows as a whole were refused. */
export type Parked = {
  readonly position: number
  readonly eventId: string | null
  readonly eventType: string
  readonly error: string
  readonly attempts: number
  readonly at: string
}

/** How far the copies beside a projection's tables are filled: events up to `position`, direct writes up to `write`. */
export type RebuildProgress = {
  readonly version: number
  readonly position: number
  readonly write: number
  readonly startedAt: string
}

/** How a projection stands, as it is stored. */
export type ProjectionState = {
  /** Null until it has heard something. */
  readonly checkpoint: { readonly position: number; readonly version: number; readonly at: string } | null
  readonly pausedAt: string | null
  readonly parked: Parked | null
  readonly rebuild: RebuildProgress | null
}

export const NO_STATE: ProjectionState = { checkpoint: null, pausedAt: null, parked: null, rebuild: null }

const Text = z.string().nullable()
const Count = z.number().nullable()
const StateRow = z.object({
  projection: z.string(),
  position: Count,
  version: Count,
  updated_at: Text,
  paused_at: Text,
  parked_position: Count,
  parked_event_id: Text,
  parked_event_type: Text,
  parked_error: Text,
  parked_attempts: Count,
  parked_at: Text,
  rebuild_version: Count,
  rebuild_position: Count,
  rebuild_write: Count,
  rebuild_started_at: Text
})

const toState = (row: z.infer<typeof StateRow>): ProjectionState => ({
  checkpoint:
    row.position === null
      ? null
      : { position: row.position, version: row.version ?? 0, at: row.updated_at ?? '' },
  pausedAt: row.paused_at,
  parked:
    row.parked_at === null
      ? null
      : {
          position: row.parked_position ?? 0,
          eventId: row.parked_event_id,
          eventType: row.parked_event_type ?? '',
          error: row.parked_error ?? '',
          attempts: row.parked_attempts ?? 0,
          at: row.parked_at
        },
  rebuild:
    row.rebuild_version === null
      ? null
      : {
          version: row.rebuild_version,
          position: row.rebuild_position ?? 0,
          write: row.rebuild_write ?? 0,
          startedAt: row.rebuild_started_at ?? ''
        }
})

const STATES = `SELECT projection, c.position, c.version, c.updated_at, s.paused_at, s.parked_position, s.parked_event_id,
    s.parked_event_type, s.parked_error, s.parked_attempts, s.parked_at, s.rebuild_version, s.rebuild_position,
    s.rebuild_write, s.rebuild_started_at
  FROM (SELECT projection FROM projection_checkpoints UNION SELECT projection FROM projection_states)
  LEFT JOIN projection_checkpoints c USING (projection) LEFT JOIN projection_states s USING (projection)`

/** How projections stand, by name. */
export const loadStates = async (context: DbContext): Promise<Map<string, ProjectionState>> => {
  const rows = await context.projectionStore.query({ sql: STATES })
  return new Map(rows.map((row) => StateRow.parse(row)).map((row) => [row.projection, toState(row)]))
}

/** Stores all of a state but its checkpoint. */
export const saveState = async (
  context: DbContext,
  name: string,
  { pausedAt, parked, rebuild }: ProjectionState
): Promise<void> => {
  await context.projectionStore.query({
    sql: `INSERT OR REPLACE INTO projection_states (projection, paused_at, parked_position, parked_event_id,
            parked_event_type, parked_error, parked_attempts, parked_at, rebuild_version, rebuild_position, rebuild_write,
            rebuild_started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    params: [
      name,
      pausedAt,
      parked?.position,
      parked?.eventId,
      parked?.eventType,
      parked?.error,
      parked?.attempts,
      parked?.at,
      rebuild?.version,
      rebuild?.position,
      rebuild?.write,
      rebuild?.startedAt
    ]
  })
}

export const saveCheckpoint = async (
  context: DbContext,
  name: string,
  { position, version, at }: NonNullable<ProjectionState['checkpoint']>
): Promise<void> => {
  await context.projectionStore.query({
    sql: `INSERT OR REPLACE INTO projection_checkpoints (projection, position, version, updated_at) VALUES (?, ?, ?, ?)`,
    params: [name, position, version, at]
  })
}
