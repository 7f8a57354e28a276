import type { BlobStorePort } from '../../db/ports.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import type { AskService } from './ask-service.ts'
import type { Checkpoints, ExecutionListener, PreparedSources, StoredRelation } from './compute-engine.ts'
import type { RunRowIds } from './row-ids.ts'
import type { LimitWatch } from './run-limits.ts'
import type { Ending } from './schedule.ts'
import type { Sessions, Workplace } from './sessions.ts'
import type { SourceTables } from './source-tables.ts'
import type { StepCounts } from './step-counts.ts'

export type Parts = {
  readonly sessions: Sessions
  readonly tables: SourceTables
  readonly blobStore: BlobStorePort
}

/** A plan that is being carried out. */
export type Execution = {
  readonly parts: Parts
  readonly place: Workplace
  readonly plan: Plan
  readonly sources: PreparedSources
  readonly listener: ExecutionListener
  readonly known: ReadonlyMap<string, StoredRelation>
  readonly checkpoints: Checkpoints
  readonly ask: AskService | undefined
  readonly limits: LimitWatch
  readonly counts: StepCounts
  readonly ending: Ending
  /** Relations that are tables or views by now. */
  readonly tables: Set<string>
  /** Nodes whose steps somebody carries out, or has. */
  readonly begun: Set<string>
  /** Nodes whose start was told. */
  readonly told: Set<string>
  /** Bytes. */
  readonly memoryBudget: number
  /** Where it is kept which rows each row came from. */
  readonly rowIds: RunRowIds | undefined
}

/** A run's failure at a node. */
export class StepFailure extends Error {
  readonly nodeId: string | null
  constructor(nodeId: string | null, cause: unknown) {
    super('A step failed.', { cause })
    this.nodeId = nodeId
  }
}

/** @throws Error for an id that the plan does not have */
export const relationOf = (plan: Plan, id: string): Plan['relations'][number] => {
  const relation = plan.relations.find((known) => known.id === id)
  if (relation === undefined) throw new Error(`The plan has no relation "${id}".`)
  return relation
}
