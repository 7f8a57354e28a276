import { FlowForgeError, toFlowForgeError, type DbContext } from '../../db/ports.ts'
import type { UsedItem } from '../../workflow/catalog/used-item.ts'
import type { Graph, ParameterValues } from '../../workflow/graph.ts'
import type { ManifestSource } from '../../workflow/run/run-manifest.ts'
import { MEMORY_BUDGET } from '../../workflow/run/memory-budget.ts'
import type { RunOptions } from '../../workflow/run/run-options.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import { isEnded, type Run } from '../../workflow/run/run-state.ts'
import { runAggregate } from '../../workflow/run/run.ts'
import type { RunMoment } from '../../workflow/run-functions.ts'
import type { AggregateStore, Cause } from '../aggregate-store.ts'
import type { RunStatus } from '../api.ts'
import type { Catalog, CatalogSource } from '../catalog.ts'
import { createDeferred, type Deferred } from '../deferred.ts'
import type { ComputeEngine, ExecutionOutcome } from '../engine/compute-engine.ts'
import { orCanceled } from '../engine/or-canceled.ts'
import type { Planning } from '../planning.ts'
import type { AskingRun } from '../http/ask.ts'
import type { AskService } from '../engine/ask-service.ts'
import type { World } from '../world.ts'
import type { ProgressBoard } from './progress.ts'
import { withEveryCheckpoint } from '../../workflow/checkpoints.ts'
import { ENGINE_BUILD } from '../engine/engine-build.ts'
import { succeedRun } from './dataset-writes.ts'
import { createRecorder } from './recorder.ts'
import { createRunWriter, type RunWriter } from './run-writer.ts'
import { earlierOf, NOTHING_EARLIER } from './recording-reuse.ts'
import { pinnedRows } from './pinned-rows.ts'
import { findReuse, nothingReused } from './reusing.ts'
import { keysOf } from './run-keys.ts'
import { canRejectRows } from '../../workflow/rejecting.ts'
import { catalogFor } from './past-inputs.ts'
import { sourceDrift } from './source-drift.ts'
import { verifyRun } from './verifying.ts'
import { writtenBefore } from './written-before.ts'

export type RunEnd = { status: RunStatus; error?: { message: string; nodeId?: string } }
export type QueuedRun = {
  readonly runId: string
  readonly graph: Graph
  readonly parameters: ParameterValues
  readonly workflowId: string
  readonly until: string | undefined
  readonly options?: RunOptions | undefined
  /** What a past run read: this one reads the same, whatever the catalog has now. */
  readonly inputs?: readonly ManifestSource[] | undefined
  /** The items that a past run used, in its versions, instead of the newest. */
  readonly items?: readonly UsedItem[] | undefined
  /** That of the run which this one repeats or goes on with; a new run has one of its own. */
  readonly moment?: RunMoment | undefined
  /** The run whose results these are to be compared with. */
  readonly verifies?: string | undefined
  /** It goes on where it ended. */
  readonly isResumed?: boolean
  /** The run that is tried again, whose answers are taken where the same is asked. */
  readonly answersOf?: string | undefined
  /** Answers of services are those that this run recorded; nothing is sent. */
  readonly replayOf?: string | undefined
  /** That it was queued: what is written down of it follows from that. */
  readonly cause: Cause | undefined
}

/** Carries runs out, one after the other; every run that it was given ends. */
export type Runner = {
  enqueue(run: QueuedRun): void
  cancel(runId: string): Promise<void>
  /** Answers when the run has ended. @throws FlowForgeError `NOT_FOUND` */
  wait(runId: string): Promise<RunEnd>
  /** Answers when the runs have ended that it has now; null where it has none. */
  underWay(): Promise<void> | null
}

type Parts = {
  context: DbContext
  aggregates: AggregateStore
  catalog: Catalog
  engine: ComputeEngine
  planning: Planning
  board: ProgressBoard
  world: World
  /** Who sends a run's requests. */
  askFor: (run: AskingRun) => AskService
}

const toEnd = (run: Run): RunEnd => {
  if (run.status === 'none') throw new FlowForgeError('NOT_FOUND', 'There is no such run.')
  if (run.error === null) return { status: run.status }
  const { message, nodeId } = run.error
  return { status: run.status, error: nodeId === undefined ? { message } : { message, nodeId } }
}

export const createRunner = (parts: Parts): Runner => {
  const { context, aggregates, catalog, engine, planning, board, world, askFor } = parts
  const abortions = new Map<string, AbortController>()
  const ends = new Map<string, Deferred<RunEnd>>()
  let queue: Promise<void> = Promise.resolve()

  /** What the plan reads, by the ids that it has found: a name may mean another version of a dataset by now. */
  const sourcesByNode = async (
    { relations }: Plan,
    inputs: QueuedRun['inputs']
  ): Promise<ReadonlyMap<string, CatalogSource>> => {
    const readable = catalogFor(catalog, inputs)
    const found = new Map<string, CatalogSource>()
    for (const { nodeId, source } of relations) {
      if (source !== null) found.set(nodeId, await readable.byId(source.dataSourceId))
    }
    return found
  }

  const carryOut = async (
    run: QueuedRun,
    state: Run,
    { writer, signal, began }: { writer: RunWriter; signal: AbortSignal; began: number },
    /** Where rows have failed in this run already; it is planned anew in the midst of it. */
    rejecting?: ReadonlySet<string>
  ): Promise<ExecutionOutcome> => {
    const isAgain = rejecting !== undefined
    const {
      runId,
      workflowId,
      graph,
      parameters,
      until,
      options = {},
      inputs,
      items,
      isResumed = false,
      replayOf,
      answersOf,
      moment = { clock: world.now(), seed: world.newId() }
    } = run
    const { onRowError, rowIds: wantsRowIds } = options
    const asked = { parameters, until, inputs, items, moment }
    const wanted = { ...asked, onRowError, rejecting, usesPins: true, rowIds: wantsRowIds }
    const { plan, rowIds, sources, used, resolved } = await orCanceled(signal, planning.plan(graph, wanted))
    const files = await sourcesByNode(plan, inputs)
    if (!state.started) {
      const manifest = {
        graph,
        // Without those that stand for an operator's arguments: the graph says them itself.
        parameters: Object.fromEntries(
          Object.entries(plan.parameters).filter(([name]) => Object.hasOwn(graph.parameters, name))
        ),
        sources: [...files].map(([nodeId, { id, name, config }]) => ({
          nodeId,
          dataSourceId: id,
          name,
          sha256: config.sha256
        })),
        catalog: used,
        engine: ENGINE_BUILD,
        memoryBudget: options.memory ?? MEMORY_BUDGET,
        ...moment
      }
      await writer.tell({ type: 'StartRun', manifest })
    }
    board.status(runId, 'running')
    const keys = await keysOf(plan, sources)
    const earlier = isResumed ? await earlierOf(context, runId, state) : NOTHING_EARLIER
    const recorder = createRecorder(
      { ...parts, writer },
      { runId, graph: resolved, plan, sources: files, keys, earlier }
    )
    await recorder.recordSources()
    const drifts = inputs === undefined && !isResumed ? await sourceDrift(context, runId, files) : []
    for (const { message, meta } of drifts) {
      await recorder.listener.log({ nodeId: null, level: 'warn', message, meta })
    }
    const isAnew = options.reuse === 'none'
    const isBare = isAnew && !isResumed
    const pinned = await pinnedRows(context, { plan, graph: resolved, signal })
    const reuse =
      isBare && pinned.size === 0
        ? nothingReused(plan)
        : await findReuse(context, {
            plan,
            keys: isBare ? new Map() : keys,
            pinned,
            onlyRunId: isAnew || (isAgain && options.from !== undefined) ? runId : null,
            from: isResumed ? undefined : options.from,
            carries: (id) => rowIds?.marks.has(id) === true,
            signal
          })
    const before = isResumed ? await writtenBefore(context, runId, reuse.plan) : { rows: 0, bytes: 0 }
    await recorder.recordReuse(reuse, signal)
    const log: AskingRun['log'] = (entry) => recorder.listener.log({ level: 'info', ...entry })
    const outcome = await engine.execute({
      plan: options.checkpoints === 'all' ? withEveryCheckpoint(reuse.plan) : reuse.plan,
      rowIds,
      sources,
      signal,
      listener: recorder.listener,
      known: reuse.known,
      checkpoints: options.checkpoints ?? 'slow',
      limits: options.limits ?? {},
      spent: { ...before, ms: performance.now() - began },
      memoryBudget: options.memory ?? MEMORY_BUDGET,
      // What is to give the same as another run is answered as that one was.
      ask: askFor({ runId, workflowId, recordedIn: replayOf ?? run.verifies ?? null, answersOf, log }),
      mayReject: (nodeId) => {
        const node = resolved.nodes.find(({ id }) => id === nodeId)
        const isTried = plan.steps.some((step) => step.nodeId === nodeId && step.failed !== undefined)
        return onRowError !== 'fail' && !isTried && node !== undefined && canRejectRows(node)
      }
    })
    if (outcome.status === 'failed' && outcome.mayReject === true && outcome.nodeId !== null) {
      const { nodeId, message } = outcome
      const said = /[.!?]$/.test(message) ? message : `${message}.`
      const words = `An expression fails for some rows: ${said} Each is tried, and those that fail are rejected.`
      await recorder.listener.log({ nodeId, level: 'info', message: words })
      await writer.written()
      const { state: now } = await aggregates.load(runAggregate, runId)
      const failing = new Set([...(rejecting ?? []), nodeId])
      return carryOut({ ...run, moment, isResumed: true }, now, { writer, signal, began }, failing)
    }
    if (outcome.status !== 'succeeded' || run.verifies === undefined) return outcome
    return verifyRun(parts, run, run.verifies, { writer, signal })
  }

  const end = async ({ runId, cause }: QueuedRun, outcome: ExecutionOutcome): Promise<RunEnd> => {
    const acting = aggregates.causedBy(cause)
    switch (outcome.status) {
      // Written down with what it wrote; see `succeedRun`.
      case 'succeeded':
        return { status: 'succeeded' }
      case 'canceled':
        return toEnd((await acting.execute(runAggregate, runId, { type: 'CancelRun' })).state)
      case 'failed': {
        const { message, nodeId } = outcome
        const error = nodeId === null ? { message } : { message, nodeId }
        return toEnd((await acting.execute(runAggregate, runId, { type: 'FailRun', error })).state)
      }
    }
  }

  const runOne = async (run: QueuedRun, signal: AbortSignal): Promise<RunEnd> => {
    const { runId } = run
    const { state } = await aggregates.load(runAggregate, runId)
    if (isEnded(state)) return toEnd(state)
    const acting = aggregates.causedBy(run.cause)
    const writer = createRunWriter((...commands) => acting.execute(runAggregate, runId, ...commands))
    const work = async (): Promise<ExecutionOutcome> => {
      try {
        const done = await carryOut(run, state, { writer, signal, began: performance.now() })
        return done.status === 'succeeded' ? await succeedRun(parts, run, { writer, signal }) : done
      } finally {
        // The run's end comes after all that happened in it.
        await writer.written()
      }
    }
    const outcome = await work().catch((thrown: unknown): ExecutionOutcome => {
      const error = toFlowForgeError(thrown)
      if (error.code === 'CANCELED' || signal.aborted) return { status: 'canceled' }
      if (error.code === 'INTERNAL') console.error(`run ${runId} failed`, error, error.cause)
      return { status: 'failed', nodeId: null, message: error.message }
    })
    const ended = await end(run, outcome)
    board.status(runId, outcome.status)
    return ended
  }

  const enqueue = (run: QueuedRun): void => {
    const abortion = new AbortController()
    const ending = createDeferred<RunEnd>()
    abortions.set(run.runId, abortion)
    ends.set(run.runId, ending)
    queue = queue
      .then(() => runOne(run, abortion.signal))
      .then(ending.resolve, (thrown: unknown) => {
        // The run could not even be ended (a full disk): those who wait learn why, and the next start ends it.
        console.error(`run ${run.runId} could not be ended`, thrown)
        ending.reject(toFlowForgeError(thrown))
      })
      .finally(() => {
        abortions.delete(run.runId)
        ends.delete(run.runId)
      })
    // Nobody need be waiting.
    ending.promise.catch(() => undefined)
  }

  return {
    enqueue,
    cancel: async (runId) => {
      const { state } = await aggregates.execute(runAggregate, runId, { type: 'RequestCancel' })
      abortions.get(runId)?.abort()
      if (isEnded(state)) {
        board.status(runId, 'canceled')
        ends.get(runId)?.resolve(toEnd(state))
      }
    },
    underWay: () => (ends.size === 0 ? null : queue),
    wait: async (runId) => {
      const ending = ends.get(runId)
      return ending === undefined ? toEnd((await aggregates.load(runAggregate, runId)).state) : ending.promise
    }
  }
}
