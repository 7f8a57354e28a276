import { FlowForgeError, toFlowForgeError, type DbContext } from '../../db/ports.ts'
import type { Graph, ParameterValues } from '../../workflow/graph.ts'
import { isEnded, type Run } from '../../workflow/run/run-state.ts'
import { runAggregate } from '../../workflow/run/run.ts'
import type { AggregateStore } from '../aggregate-store.ts'
import type { RunStatus } from '../api.ts'
import type { Catalog, CatalogSource } from '../catalog.ts'
import { createDeferred, type Deferred } from '../deferred.ts'
import type { ComputeEngine, ExecutionOutcome } from '../engine/compute-engine.ts'
import type { Planning } from '../planning.ts'
import type { World } from '../world.ts'
import type { ProgressBoard } from './progress.ts'
import { createRecorder } from './recorder.ts'

export type RunEnd = { status: RunStatus; error?: { message: string; nodeId?: string } }
export type QueuedRun = {
  readonly runId: string
  readonly graph: Graph
  readonly parameters: ParameterValues
  readonly until: string | undefined
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
}

const toEnd = (run: Run): RunEnd => {
  if (run.status === 'none') throw new FlowForgeError('NOT_FOUND', 'There is no such run.')
  if (run.error === null) return { status: run.status }
  const { message, nodeId } = run.error
  return { status: run.status, error: nodeId === undefined ? { message } : { message, nodeId } }
}

export const createRunner = (parts: Parts): Runner => {
  const { aggregates, catalog, engine, planning, board } = parts
  const abortions = new Map<string, AbortController>()
  const ends = new Map<string, Deferred<void>>()
  let queue: Promise<void> = Promise.resolve()

  const sourcesByNode = async (graph: Graph, nodeIds: ReadonlySet<string>) => {
    const found = new Map<string, CatalogSource>()
    for (const node of graph.nodes) {
      const name = node.spec['dataSource']
      if (node.kind !== 'source' || typeof name !== 'string' || !nodeIds.has(node.id)) continue
      const source = await catalog.byName(name)
      if (source !== undefined) found.set(node.id, source)
    }
    return found
  }

  const carryOut = async ({ runId, graph, parameters, until }: QueuedRun, signal: AbortSignal) => {
    const { plan, sources } = await planning.plan(graph, { parameters, until })
    const files = await sourcesByNode(graph, new Set(plan.steps.map(({ nodeId }) => nodeId)))
    const manifest = {
      graph,
      parameters: plan.parameters,
      sources: [...files].map(([nodeId, { id, name, config }]) => ({
        nodeId,
        dataSourceId: id,
        name,
        sha256: config.sha256
      })),
      engine: 'duckdb-wasm'
    }
    await aggregates.execute(runAggregate, runId, { type: 'StartRun', manifest })
    board.status(runId, 'running')
    const recorder = createRecorder(parts, { runId, graph, plan, sources: files })
    await recorder.recordSources()
    return engine.execute({ plan, sources, signal, listener: recorder.listener })
  }

  const end = async (runId: string, outcome: ExecutionOutcome): Promise<void> => {
    switch (outcome.status) {
      case 'succeeded':
        await aggregates.execute(runAggregate, runId, { type: 'SucceedRun' })
        return
      case 'canceled':
        await aggregates.execute(runAggregate, runId, { type: 'CancelRun' })
        return
      case 'failed': {
        const { message, nodeId } = outcome
        const error = nodeId === null ? { message } : { message, nodeId }
        await aggregates.execute(runAggregate, runId, { type: 'FailRun', error })
      }
    }
  }

  const runOne = async (run: QueuedRun, signal: AbortSignal): Promise<void> => {
    const { runId } = run
    const { state } = await aggregates.load(runAggregate, runId)
    if (isEnded(state)) return
    const outcome = await carryOut(run, signal).catch((thrown: unknown): ExecutionOutcome => {
      const error = toFlowForgeError(thrown)
      if (error.code === 'CANCELED' || signal.aborted) return { status: 'canceled' }
      if (error.code === 'INTERNAL') console.error(`run ${runId} failed`, error, error.cause)
      return { status: 'failed', nodeId: null, message: error.message }
    })
    await end(runId, outcome)
    board.status(runId, outcome.status)
  }

  const enqueue = (run: QueuedRun): void => {
    const abortion = new AbortController()
    const ending = createDeferred<void>()
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
        ends.get(runId)?.resolve()
      }
    },
    underWay: () => (ends.size === 0 ? null : queue),
    wait: async (runId) => {
      await ends.get(runId)?.promise
      return toEnd((await aggregates.load(runAggregate, runId)).state)
    }
  }
}
