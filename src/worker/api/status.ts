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
}
