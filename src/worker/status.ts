import type { DbContext } from '../db/ports.ts'
import type { Status } from './api.ts'
import { eventsSince } from './backups/due.ts'
import type { BackupNoteStore } from './backups/notes.ts'
import { placeOf } from './backups/scheduled.ts'
import type { Projections } from './projections/projections.ts'

/** Facts for the settings page and for scripts. */
export const readStatus = async (
  context: DbContext,
  projections: Pick<Projections, 'list'>,
  notes: Pick<BackupNoteStore, 'read'>
): Promise<Status> => {
  const [facts, place, estimate, persisted, noted] = await Promise.all([
    context.facts(),
    placeOf(context),
    navigator.storage.estimate(),
    navigator.storage.persisted(),
    notes.read().catch((thrown: unknown) => {
      console.error('The notes on backups cannot be read', thrown)
      return null
    })
  ])
  return {
    role: 'leader',
    ...facts,
    replicas: context.replicas?.status() ?? [],
    persisted,
    usage: estimate.usage ?? 0,
    quota: estimate.quota ?? 0,
    projections: await projections.list(),
    lastBackup:
      noted === null ? null : { at: noted.last?.at ?? null, eventsSince: eventsSince(noted.last, place) }
  }
}
