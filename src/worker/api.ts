/**
 * The door of the worker: the schema and type of every call. The page imports this file alone.
 * `DbApi` is the user's `window.db`, `FlowForgeApi` is `window.flowforge`; `api.md` is what both keep to. Calls marked
 * + are the app's own additions. Every call takes one object and fails with a `FlowForgeError`.
 */
import { sourcesInputs, type SourcesApi } from './api/sources.ts'
import { workflowsInputs, type WorkflowsApi } from './api/workflows.ts'
import { runsInputs, type RunsApi } from './api/runs.ts'
import { artifactsInputs, type ArtifactsApi } from './api/artifacts.ts'
import { replicasInputs, type ReplicasApi } from './api/replicas.ts'
import { projectionsInputs, type ProjectionsApi } from './api/projections.ts'
import { historyInputs, type HistoryApi } from './api/history.ts'
import { catalogInputs, type CatalogApi } from './api/catalog.ts'
import { explainInputs, type ExplainApi } from './api/explain.ts'
import { examplesInputs, type ExamplesApi } from './api/examples.ts'
import { lineageInputs, type LineageApi } from './api/lineage.ts'
import { logInputs, type LogApi } from './api/log.ts'
import { healthInputs, type HealthApi } from './api/health.ts'
import { backupInputs, type BackupApi } from './api/backup.ts'
import { archiveInputs, type ArchiveApi } from './api/archive.ts'
import { requestsInputs, type RequestsApi } from './api/requests.ts'
import type { Status } from './api/status.ts'

export {
  ERROR_CODES,
  FlowForgeError,
  fromReplicaPiece,
  fromWireError,
  isFlowForgeError,
  toWireError
} from '../db/ports.ts'
export type { ReplicaKind, ReplicaPieces, ReplicaStatus } from '../db/ports.ts'
export type {
  ChainDifference,
  ChainFinding,
  ChainProgress,
  ChainReport,
  ChainState,
  CheckFinding,
  CheckReport,
  ErrorCode,
  Event,
  HealthState,
  LastEnd,
  Row,
  Snapshot,
  WireError
} from '../db/ports.ts'
export type { ArchiveFinding, ArchiveFolder, ArchiveProgress, ArchiveSegment } from '../db/ports.ts'
export type { BackupProgress, BackupSummary, KeptCopy } from '../db/ports.ts'
export type {
  FoundDatabase,
  LostRange,
  RescueCopy,
  SalvagedTable,
  SalvageProgress,
  SalvageReport
} from '../db/ports.ts'

export {
  dbInputs,
  NewEventInput,
  LiveQueryInput,
  QueryInput,
  SubscribeInput,
  TableName,
  type DbApi,
  type EventListener,
  type WireDbApi
} from './api/database.ts'
export type { ArchivePreview } from './api/archive.ts'
export type { BackupRhythm, BackupStatus, MadeBackup } from './api/backup.ts'
export type { CatalogEntry, CatalogItemView, CatalogUses, WhatIf } from './api/catalog.ts'
export type { ExplainedFile } from './api/explain.ts'
export type { LogState } from './api/log.ts'
export type { Page } from './api/page.ts'
export type { RescueApi } from './api/rescue.ts'
export type { ColumnProfile, TableProfile } from '../workflow/profile/table-profile.ts'
export type { RunProgress, RunStatus, Verification } from './api/runs.ts'
export type { SentRequest, SentRequestInFull } from './api/requests.ts'
export type { Status } from './api/status.ts'
export { DoorCall, type Boot, type LogBatch, type WorkerApi } from './api/worker.ts'
export type { WorkflowCheck, WorkflowVersionStatus, WorkflowView } from './api/workflows.ts'
export type { ProjectionStatus } from './projections/statuses.ts'
export type { StateAt } from './projections/past.ts'

/** The argument of every `window.flowforge` call, a subject each. */
export const flowForgeInputs = {
  sources: sourcesInputs,
  workflows: workflowsInputs,
  runs: runsInputs,
  requests: requestsInputs,
  artifacts: artifactsInputs,
  replicas: replicasInputs,
  projections: projectionsInputs,
  history: historyInputs,
  catalog: catalogInputs,
  explain: explainInputs,
  examples: examplesInputs,
  lineage: lineageInputs,
  log: logInputs,
  health: healthInputs,
  backup: backupInputs,
  archive: archiveInputs
} as const

export type FlowForgeApi = {
  sources: SourcesApi
  workflows: WorkflowsApi
  runs: RunsApi
  requests: RequestsApi
  artifacts: ArtifactsApi
  replicas: ReplicasApi
  projections: ProjectionsApi
  history: HistoryApi
  catalog: CatalogApi
  explain: ExplainApi
  examples: ExamplesApi
  lineage: LineageApi
  log: LogApi
  health: HealthApi
  backup: BackupApi
  archive: ArchiveApi
  status(): Promise<Status>
}
