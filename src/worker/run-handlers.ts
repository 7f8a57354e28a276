import { FlowForgeError, type DbContext } from '../db/ports.ts'
import type { Graph } from '../workflow/graph.ts'
import type { RunMoment } from '../workflow/run-functions.ts'
import { momentOf, type ManifestSource, type RunManifest } from '../workflow/run/run-manifest.ts'
import { runAggregate, type RunCommand } from '../workflow/run/run.ts'
import { toVersionId } from '../workflow/workflow/workflow-state.ts'
import { workflowAggregate } from '../workflow/workflow/workflow.ts'
import type { AggregateStore } from './aggregate-store.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import type { ComputeEngine } from './engine/compute-engine.ts'
import { handler } from './handler.ts'
import type { Planning } from './planning.ts'
import { compareRuns } from './runs/comparing.ts'
import { manifestOf } from './runs/manifest-of.ts'
import type { Runner } from './runs/runner.ts'
import { rememberRun, runOf } from './run-keys.ts'
import { versionOf } from './workflow-handlers.ts'
import type { World } from './world.ts'

const inputs = flowForgeInputs.runs

type Parts = {
  context: DbContext
  aggregates: AggregateStore
  engine: ComputeEngine
  planning: Planning
  runner: Runner
  world: World
}

type Api = FlowForgeApi['runs']
type Queue = Omit<Extract<RunCommand, { type: 'QueueRun' }>, 'type'>

/** What is left out stays out: an event's payload has no `undefined`. */
const given = <T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  // Entries of an object are entries of its own type.
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }

export const createRunHandlers = (parts: Parts): Api => {
  const { context, aggregates, engine, planning, runner, world } = parts

  const graphNow = async (workflowId: string, asked: number | undefined) => {
    const { state } = await aggregates.load(workflowAggregate, workflowId)
    const { version, graph } = versionOf(workflowId, state, asked)
    return {
      graph,
      items: undefined,
      of: {
        workflowId,
        workflowVersionId: toVersionId(workflowId, version),
        version,
        workflowName: state.name
      }
    }
  }

  /** The graph that a past run had, which outlives its workflow, with the items that it used; or the workflow's as it is now. */
  const graphFor = async (manifest: RunManifest, wanted: 'same' | 'current') => {
    const { workflowId, workflowVersionId, workflowName, version, graph, catalog: items } = manifest
    if (wanted === 'current') return graphNow(workflowId, undefined)
    // A run that never came to be started left no graph of its own.
    if (graph === undefined) return graphNow(workflowId, version)
    return { graph, items, of: { workflowId, workflowVersionId, version, workflowName } }
  }

  /** The run whose answers a retry takes: the one before, of the same version, unless all is to be done anew. */
  const answersFor = async ({
    retryOf,
    workflowVersionId,
    options
  }: Pick<RunManifest, 'retryOf' | 'workflowVersionId' | 'options'>): Promise<string | undefined> => {
    if (retryOf === undefined || options?.reuse === 'none') return undefined
    const before = await manifestOf(context, retryOf)
    return before.workflowVersionId === workflowVersionId ? retryOf : undefined
  }

  /** A run's moment: its own, else that of the run which it repeats or goes on with; undefined where it is a new one. */
  const momentFor = async (
    run: Pick<RunManifest, 'clock' | 'seed' | 'verifies' | 'replayOf'> & Parameters<typeof answersFor>[0]
  ): Promise<RunMoment | undefined> => {
    const own = momentOf(run)
    if (own !== undefined) return own
    const before = run.verifies ?? run.replayOf ?? (await answersFor(run))
    return before === undefined ? undefined : momentFor(await manifestOf(context, before))
  }

  /** Puts a new run of a graph into the queue, once a call; what cannot run is refused before there is a run of it. */
  const queue = async (
    callId: string | undefined,
    make: () => Promise<{
      graph: Graph
      queued: Queue
      inputs?: readonly ManifestSource[] | undefined
      /** Items of the catalog in the versions that a past run used. */
      items?: RunManifest['catalog']
    }>
  ): Promise<{ runId: string }> => {
    const runId = `run:${callId ?? world.newId()}`
    if (await aggregates.once(callId).wasCarriedOut()) return { runId }
    const { graph, queued, inputs: past, items } = await make()
    const { parameters, until, options, verifies, idempotencyKey } = queued
    if (graph.nodes.length === 0) {
      throw new FlowForgeError(
        'INVALID_INPUT',
        'This workflow is empty. Add a source, and what shall become of it.'
      )
    }
    const from = options?.from
    if (from !== undefined && !graph.nodes.some(({ id }) => id === from)) {
      throw new FlowForgeError('INVALID_INPUT', `There is no node "${from}" to run from.`, { from })
    }
    const moment = await momentFor(queued)
    const { onRowError, rowIds } = options ?? {}
    // As the run will plan it, so that it need not be done twice: which moment it is makes no other plan.
    const planned = { parameters, until, inputs: past, items, onRowError, usesPins: true, rowIds }
    await planning.plan(graph, { ...planned, moment: moment ?? { clock: world.now(), seed: runId } })
    const { known, cause } = await context.tx.runInTransaction(async (tx) => {
      // Looked for again: another start with this key may have come since.
      const before = idempotencyKey === undefined ? undefined : await runOf(tx, idempotencyKey)
      if (before !== undefined) return { known: before, cause: undefined }
      const command = aggregates.within(tx).once(callId)
      const stored = await command.execute(runAggregate, runId, { type: 'QueueRun', ...queued })
      if (idempotencyKey !== undefined) await rememberRun(tx, idempotencyKey, runId, world.now())
      return { known: undefined, cause: stored.cause }
    })
    if (known !== undefined) return { runId: known }
    runner.enqueue({
      runId,
      workflowId: queued.workflowId,
      replayOf: queued.replayOf,
      answersOf: await answersFor(queued),
      moment,
      graph,
      parameters,
      until,
      cause,
      options,
      inputs: past,
      items,
      verifies
    })
    return { runId }
  }

  /** The same graph, parameters and files again; services' answers are those of the record, and nothing is sent. */
  const replay = (
    callId: string | undefined,
    args: {
      workflowId: string
      trigger: Queue['trigger']
      idempotencyKey: string | undefined
      replayOf: string
    }
  ) =>
    queue(callId, async () => {
      const { workflowId, trigger, idempotencyKey, replayOf } = args
      const manifest = await manifestOf(context, replayOf)
      if (manifest.workflowId !== workflowId) {
        const message = 'There is no run of this workflow under that id to be replayed.'
        throw new FlowForgeError('NOT_FOUND', message, { runId: replayOf, workflowId })
      }
      const { parameters, until, sources } = manifest
      const { graph, items, of } = await graphFor(manifest, 'same')
      return {
        graph,
        inputs: sources,
        items,
        queued: {
          ...of,
          trigger,
          parameters,
          ...given({ until, idempotencyKey }),
          replayOf: manifest.replayOf ?? replayOf,
          options: { reuse: 'none' as const }
        }
      }
    })

  const start = async (args: Parameters<Api['start']>[0], callId: string | undefined) => {
    const { workflowId, version, trigger = 'manual', parameters = {}, ...rest } = args
    const { until, idempotencyKey, replayOf, ...options } = rest
    const known = idempotencyKey === undefined ? undefined : await runOf(context, idempotencyKey)
    if (known !== undefined) return { runId: known }
    if (replayOf !== undefined) return replay(callId, { workflowId, trigger, idempotencyKey, replayOf })
    return queue(callId, async () => {
      const { graph, of } = await graphNow(workflowId, version)
      const asked = given(options)
      return {
        graph,
        queued: {
          ...of,
          trigger,
          parameters,
          ...given({ until, idempotencyKey }),
          ...(Object.keys(asked).length === 0 ? {} : { options: asked })
        }
      }
    })
  }

  const retry = (args: Parameters<Api['retry']>[0], callId: string | undefined) =>
    queue(callId, async () => {
      const { runId: retryOf, from = 'failed', version = 'same' } = args
      const manifest = await manifestOf(context, retryOf)
      const { parameters, until, options = {} } = manifest
      const { graph, items, of } = await graphFor(manifest, version)
      const known = Object.entries(parameters).filter(([name]) => Object.hasOwn(graph.parameters, name))
      const { from: _, reuse: __, ...kept } = options
      return {
        graph,
        items,
        queued: {
          ...of,
          trigger: 'manual',
          parameters: Object.fromEntries(known),
          retryOf,
          ...given({ until }),
          options: { ...kept, reuse: from === 'start' ? 'none' : 'changed' }
        }
      }
    })

  const verify = ({ runId: verifies }: { runId: string }, callId: string | undefined) =>
    queue(callId, async () => {
      const { status } = (await aggregates.load(runAggregate, verifies)).state
      const manifest = await manifestOf(context, verifies)
      if (status !== 'succeeded') {
        const message = 'Only a run that has succeeded can be repeated to see whether the same comes out.'
        throw new FlowForgeError('INVALID_INPUT', message, { status })
      }
      const { parameters, until, options = {}, sources } = manifest
      const { graph, items, of } = await graphFor(manifest, 'same')
      const { from: _, checkpoints: __, ...kept } = options
      return {
        graph,
        inputs: sources,
        items,
        queued: {
          ...of,
          trigger: 'manual',
          parameters,
          verifies,
          ...given({ until }),
          options: { ...kept, reuse: 'none' }
        }
      }
    })

  const verification = async ({ runId }: { runId: string }) => {
    const { verifies } = await manifestOf(context, runId)
    if (verifies === undefined) {
      throw new FlowForgeError('INVALID_INPUT', 'This run repeats no other run.', { runId })
    }
    return { verifies, ...(await compareRuns({ context, engine }, verifies, runId)) }
  }

  const resume = async ({ runId }: { runId: string }, callId: string | undefined): Promise<void> => {
    const command = aggregates.once(callId)
    if (await command.wasCarriedOut()) return
    const manifest = await manifestOf(context, runId)
    const { parameters, until, options, sources, verifies } = manifest
    const { graph, items } = await graphFor(manifest, 'same')
    await planning.plan(graph, { parameters, until, inputs: sources, items, usesPins: true })
    const { cause } = await command.execute(runAggregate, runId, { type: 'ResumeRun' })
    runner.enqueue({
      runId,
      workflowId: manifest.workflowId,
      replayOf: manifest.replayOf,
      answersOf: await answersFor(manifest),
      moment: await momentFor(manifest),
      graph,
      parameters,
      until,
      cause,
      options,
      inputs: sources,
      items,
      verifies,
      isResumed: true
    })
  }

  return {
    start: handler('runs.start', inputs.start, start),
    wait: handler('runs.wait', inputs.wait, ({ runId }) => runner.wait(runId)),
    cancel: handler('runs.cancel', inputs.cancel, ({ runId }) => runner.cancel(runId)),
    resume: handler('runs.resume', inputs.resume, resume),
    retry: handler('runs.retry', inputs.retry, retry),
    verify: handler('runs.verify', inputs.verify, verify),
    verification: handler('runs.verification', inputs.verification, verification)
  }
}
