import type { DbContext } from '../db/ports.ts'
import type { Status } from './api.ts'
import type { Projections } from './projections/projections.ts'

/** Facts for the settings page and for scripts. */
export const readStatus = async (
  context: DbContext,
  projections: Pick<Projections, 'list'>
): Promise<Status> => {
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
    projections: await projections.list()
  }
}
