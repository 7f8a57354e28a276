import type { DbContext } from '../db/ports.ts'
import { readEvent } from '../workflow/aggregates.ts'
import { ALL_PROJECTIONS } from '../workflow/projections/all.ts'
import { createAggregateStore } from './aggregate-store.ts'
import type { FlowForgeApi, RunProgress, WireDbApi } from './api.ts'
import { createArtifactHandlers } from './artifact-handlers.ts'
import { createBackupHandlers } from './backup-handlers.ts'
import { createCatalog } from './catalog.ts'
import { createDbHandlers } from './db-handlers.ts'
import type { ComputeEngine } from './engine/compute-engine.ts'
import { createEventLog } from './event-log.ts'
import { createExampleHandlers } from './example-handlers.ts'
import { createOnce, forgetOldCalls } from './once.ts'
import { createPlanning } from './planning.ts'
import { rebuildIfOutdated } from './projections/rebuild.ts'
import { createRunHandlers } from './run-handlers.ts'
import { endInterruptedRuns } from './runs/interrupted.ts'
import { createProgressBoard } from './runs/progress.ts'
import { createRunner } from './runs/runner.ts'
import { createSourceHandlers } from './source-handlers.ts'
import { readStatus } from './status.ts'
import { createWorkflowHandlers } from './workflow-handlers.ts'
import type { World } from './world.ts'

/** Everything that the worker does, over an open storage. */
export type Program = {
  readonly db: WireDbApi
  readonly flowforge: FlowForgeApi
  readonly onProgress: (listener: (progress: RunProgress) => void) => () => void
  /** The end of the runs that wait or go on; null where there are none. */
  readonly runUnderWay: () => Promise<void> | null
}

/** Wires the program, brings outdated projections up to date, and ends the runs that the last end cut off. */
export const startProgram = async (args: {
  context: DbContext
  engine: ComputeEngine
  world: World
  baseUrl: string
  /** Told that the storage is about to be replaced: this program answers nothing any more, and storage is to be opened again. */
  onReplaced?: () => void
}): Promise<Program> => {
  const { context, engine, world, baseUrl, onReplaced = () => undefined } = args
  await rebuildIfOutdated(context, ALL_PROJECTIONS, readEvent)
  const log = createEventLog(context, ALL_PROJECTIONS)
  const aggregates = createAggregateStore(context, log)
  await endInterruptedRuns(context, aggregates)
  await forgetOldCalls(context, world)

  const catalog = createCatalog(context, engine)
  const planning = createPlanning(catalog, engine)
  const board = createProgressBoard()
  const runner = createRunner({ context, aggregates, catalog, engine, planning, board, world })
  const sources = createSourceHandlers({ context, aggregates, catalog, engine, world })
  const workflows = createWorkflowHandlers({ context, aggregates, planning, engine, world })
  return {
    db: createDbHandlers(context, log, createOnce(context, world)),
    flowforge: {
      sources,
      workflows,
      runs: createRunHandlers({ context, aggregates, planning, runner, world }),
      artifacts: createArtifactHandlers({ context, engine }),
      examples: createExampleHandlers({ context, sources, workflows, baseUrl }),
      backup: createBackupHandlers({ context, onReplaced }),
      status: () => readStatus(context, ALL_PROJECTIONS)
    },
    onProgress: board.listen,
    runUnderWay: runner.underWay
  }
}
