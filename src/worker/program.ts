import type { DbContext } from '../db/ports.ts'
import { ALL_PROJECTIONS } from '../workflow/projections/all.ts'
import { createAggregateStore } from './aggregate-store.ts'
import type { FlowForgeApi, RunProgress, WireDbApi } from './api.ts'
import { createArchiveHandlers } from './archive-handlers.ts'
import { createArtifactHandlers } from './artifact-handlers.ts'
import { createBackupHandlers } from './backup-handlers.ts'
import { createBackupJobs } from './backups/jobs.ts'
import { memoryBackupNotes, type BackupNoteStore } from './backups/notes.ts'
import { startScheduledBackups } from './backups/scheduled.ts'
import { createCatalog } from './catalog.ts'
import { createCatalogHandlers } from './catalog-handlers.ts'
import { createItemVersions } from './catalog-items/item-versions.ts'
import { createWhatIf } from './catalog-items/what-if.ts'
import { createDatasets } from './datasets.ts'
import { createDbHandlers } from './db-handlers.ts'
import type { ComputeEngine } from './engine/compute-engine.ts'
import { createEventLog } from './event-log.ts'
import { createExampleHandlers } from './example-handlers.ts'
import { createExplainHandlers } from './explain-handlers.ts'
import { createHealthHandlers } from './health-handlers.ts'
import { createAsking, createPreviewAsk } from './http/asking.ts'
import { createLineageHandlers } from './lineage-handlers.ts'
import { createLogHandlers } from './log-handlers.ts'
import { createOnce, forgetOldCalls } from './once.ts'
import { createPlanning } from './planning.ts'
import { rememberPlans } from './remembered-plans.ts'
import { createReplicaHandlers } from './replica-handlers.ts'
import { createHistoryHandlers, createProjectionHandlers } from './projection-handlers.ts'
import { createDirectWrites } from './projections/direct-writes.ts'
import { createHistory } from './projections/past.ts'
import { startProjections } from './projections/projections.ts'
import { createProfiles } from './profiles.ts'
import { createRequestHandlers } from './request-handlers.ts'
import { createRunHandlers } from './run-handlers.ts'
import { endInterruptedRuns } from './runs/interrupted.ts'
import { createProgressBoard } from './runs/progress.ts'
import { createRunner } from './runs/runner.ts'
import { createSourceHandlers } from './source-handlers.ts'
import { readStatus } from './status.ts'
import { createManualSourceHandlers } from './manual-source-handlers.ts'
import { createWebSourceHandlers } from './web-source-handlers.ts'
import { createWorkflowHandlers } from './workflow-handlers.ts'
import type { World } from './world.ts'

/** Everything that the worker does, over an open storage. */
export type Program = {
  readonly db: WireDbApi
  readonly flowforge: FlowForgeApi
  readonly onProgress: (listener: (progress: RunProgress) => void) => () => void
  /** The end of the runs that wait or go on; null where there are none. */
  readonly runUnderWay: () => Promise<void> | null
  /** Ends what it does by itself. */
  readonly stop: () => Promise<void>
}

/**
 * Wires the program and ends the runs that the last end cut off. Projections whose definition has grown are rebuilt
 * afterwards: until then their old rows are served.
 */
export const startProgram = async (args: {
  context: DbContext
  engine: ComputeEngine
  world: World
  baseUrl: string
  /** Told that the storage is about to be replaced: this program answers nothing any more, and storage is to be opened again. */
  onReplaced?: () => void
  /** Of a storage in memory nothing is remembered either. */
  backupNotes?: BackupNoteStore
}): Promise<Program> => {
  const { context, engine, world, baseUrl, onReplaced = () => undefined } = args
  const { backupNotes: notes = memoryBackupNotes() } = args
  const projections = await startProjections({ context, definitions: ALL_PROJECTIONS, world })
  const log = createEventLog(context, ALL_PROJECTIONS)
  const aggregates = createAggregateStore(context, log, world)
  await endInterruptedRuns(context, aggregates)

  const catalog = createCatalog(context, engine, createDatasets(context, aggregates))
  const itemVersions = createItemVersions(context, aggregates)
  const planning = rememberPlans(context, createPlanning(catalog, itemVersions, engine))
  const board = createProgressBoard()
  const askFor = createAsking({ context, world })
  const runner = createRunner({ context, aggregates, catalog, engine, planning, board, world, askFor })
  const profiles = createProfiles({ blobStore: context.blobStore, engine })
  const sourceParts = { context, aggregates, catalog, engine, profiles, world }
  const sources = {
    ...createSourceHandlers(sourceParts),
    ...createWebSourceHandlers(sourceParts),
    ...createManualSourceHandlers(sourceParts)
  }
  const workflows = createWorkflowHandlers({
    context,
    aggregates,
    planning,
    engine,
    world,
    previewAsk: createPreviewAsk(context, askFor)
  })
  const jobs = createBackupJobs()
  const scheduled = startScheduledBackups({
    context,
    notes,
    jobs,
    now: world.now,
    isRunning: () => runner.underWay() !== null
  })
  // Nobody waits for it: a hand-over is as long as what stands before this.
  forgetOldCalls(context, world).catch((thrown: unknown) =>
    console.error('Old calls are still noted', thrown)
  )
  return {
    db: createDbHandlers(
      context,
      log,
      createOnce(context, world),
      createDirectWrites(ALL_PROJECTIONS, world.now)
    ),
    flowforge: {
      sources,
      workflows,
      runs: createRunHandlers({ context, aggregates, engine, planning, runner, world }),
      requests: createRequestHandlers({ context, aggregates }),
      artifacts: createArtifactHandlers({ context, engine, profiles }),
      explain: createExplainHandlers({ context, catalog, itemVersions, engine, askFor }),
      lineage: createLineageHandlers(context),
      replicas: createReplicaHandlers(context),
      catalog: createCatalogHandlers({
        context,
        aggregates,
        world,
        whatIf: createWhatIf({ context, aggregates, itemVersions, catalog, planning, engine })
      }),
      examples: createExampleHandlers({ context, sources, workflows, baseUrl }),
      backup: createBackupHandlers({ context, jobs, notes, scheduled, onReplaced }),
      archive: createArchiveHandlers(context),
      log: createLogHandlers(context),
      health: createHealthHandlers(context),
      projections: createProjectionHandlers(projections),
      history: createHistoryHandlers(createHistory({ context, definitions: ALL_PROJECTIONS })),
      status: () => readStatus(context, projections, notes)
    },
    onProgress: board.listen,
    runUnderWay: runner.underWay,
    stop: scheduled.stop
  }
}
