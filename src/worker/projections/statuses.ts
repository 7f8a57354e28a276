import type { DbContext } from '../../db/ports.ts'
import type { Live } from './live.ts'
import { headOf } from './replay.ts'
import { listSkips, type Skip } from './skips.ts'
import type { Parked } from './states.ts'

export type ProjectionStatus = {
  name: string
  version: number
  mode: 'inline' | 'async'
  tables: string[]
  /** `parked`: it stands still at an event until a person says retry or skip. */
  state: 'running' | 'paused' | 'parked' | 'rebuilding'
  /** How far in the log its rows are. */
  position: number
  /** How many events that it hears are not in its rows yet. */
  lag: number
  /** When its rows last changed by an event. */
  updatedAt: string | null
  parked: Parked | null
  /** How far its new rows are, beside the old ones. */
  progress: { version: number; position: number; head: number; startedAt: string } | null
  skips: Skip[]
}

const stateOf = ({ state }: Live): ProjectionStatus['state'] => {
  if (state.pausedAt !== null) return 'paused'
  if (state.parked !== null) return 'parked'
  return state.rebuild === null ? 'running' : 'rebuilding'
}

/** An inline projection is written with each event: it cannot lag. */
const lagOf = async (context: DbContext, { projection, scanned }: Live): Promise<number> => {
  if (projection.mode === 'inline') return 0
  const [row] = await context.projectionStore.query({
    sql: `SELECT count(*) AS lag FROM log_index
          WHERE position > ?1 AND event_type IN (SELECT value FROM json_each(?2))`,
    params: [scanned, JSON.stringify(projection.hears)]
  })
  return Number(row?.['lag'] ?? 0)
}

const positionOf = async (context: DbContext, { projection, state, scanned }: Live): Promise<number> => {
  if (projection.mode === 'async') return scanned
  // Written by the appends, which this program's memory does not follow.
  const [row] = await context.projectionStore.query({
    sql: 'SELECT position FROM projection_checkpoints WHERE projection = ?',
    params: [projection.name]
  })
  return Number(row?.['position'] ?? state.checkpoint?.position ?? 0)
}

export const statusOf = async (context: DbContext, live: Live): Promise<ProjectionStatus> => {
  const { projection, state } = live
  const { rebuild } = state
  const [position, lag, head, skips] = await Promise.all([
    positionOf(context, live),
    lagOf(context, live),
    headOf(context),
    listSkips(context, projection.name)
  ])
  return {
    name: projection.name,
    version: projection.version,
    mode: projection.mode,
    tables: [...projection.tables],
    state: stateOf(live),
    position,
    lag,
    updatedAt: state.checkpoint?.at ?? null,
    parked: state.parked,
    progress:
      rebuild === null
        ? null
        : { version: rebuild.version, position: rebuild.position, head, startedAt: rebuild.startedAt },
    skips
  }
}
