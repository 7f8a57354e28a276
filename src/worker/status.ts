import type { DbContext } from '../db/ports.ts'
import type { Projection } from '../workflow/aggregate.ts'
import type { ProjectionLag, Status } from './api.ts'

/** How far each projection has come. One that has heard nothing yet has no lag: there is nothing for it to read. */
const lags = async (context: DbContext, projections: readonly Projection[]): Promise<ProjectionLag[]> => {
  const rows = await context.projectionStore.query({
    sql: 'SELECT projection, position, version FROM projection_checkpoints'
  })
  const positions = new Map(rows.map((row) => [row['projection'], Number(row['position'])]))
  return Promise.all(
    projections.map(async ({ name, version, hears }) => {
      const position = positions.get(name) ?? 0
      const [row] = await context.projectionStore.query({
        sql: `SELECT count(*) AS lag FROM events
              WHERE position > ?1 AND event_type IN (SELECT value FROM json_each(?2))`,
        params: [position, JSON.stringify(hears)]
      })
      return { name, version, position, lag: Number(row?.['lag'] ?? 0) }
    })
  )
}

/** Facts for the settings page and for scripts. */
export const readStatus = async (context: DbContext, projections: readonly Projection[]): Promise<Status> => {
  const [facts, estimate, persisted] = await Promise.all([
    context.facts(),
    navigator.storage.estimate(),
    navigator.storage.persisted()
  ])
  return {
    role: 'leader',
    ...facts,
    replicas: context.replicas?.status() ?? [],
    persisted,
    usage: estimate.usage ?? 0,
    quota: estimate.quota ?? 0,
    projections: await lags(context, projections)
  }
}
