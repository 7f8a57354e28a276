import type { ReplicaStatus } from '../../db/ports.ts'
import type { ProjectionStatus } from '../projections/statuses.ts'

export type Status = {
  /** + Empty where the engine has none. */
  replicas: readonly ReplicaStatus[]
  /** A follower works through the tab that leads. */
  role: 'leader' | 'follower'
  storage: 'opfs' | 'memory'
  persisted: boolean
  usage: number
  quota: number
  schemaVersion: number
  logPosition: number
  projections: ProjectionStatus[]
  /**
   * + When the last backup was made, ISO-8601 UTC, and how many events came since; `at` is null where none was. Null
   * where the notes on backups cannot be read: `backup.status` says why.
   */
  lastBackup: { at: string | null; eventsSince: number } | null
}
