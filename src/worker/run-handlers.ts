import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { runAggregate } from '../workflow/run/run.ts'
import { toVersionId } from '../workflow/workflow/workflow-state.ts'
import { workflowAggregate } from '../workflow/workflow/workflow.ts'
import type { AggregateStore } from './aggregate-store.ts'
import { flowForgeInputs, type FlowForgeApi } from './api.ts'
import { handler } from './handler.ts'
import type { Planning } from './planning.ts'
import type { Runner } from './runs/runner.ts'
import { versionOf } from './workflow-handlers.ts'
import type { World } from './world.ts'

const inputs = flowForgeInputs.runs
const SCOPE = 'runs.start'

type Parts = {
  context: DbContext
  aggregates: AggregateStore
  planning: Planning
  runner: Runner
  world: World
}

export const createRunHandlers = (parts: Parts): FlowForgeApi['runs'] => {
  const { context, aggregates, planning, runner, world } = parts

  /** The run that an idempotency key stands for already. */
  const runOf = async (key: string): Promise<string | undefined> => {
    const sql = 'SELECT result_json FROM idempotency_keys WHERE key = ? AND scope = ?'
    const [row] = await context.projectionStore.query({ sql, params: [key, SCOPE] })
    const result: unknown = row === undefined ? undefined : JSON.parse(String(row['result_json']))
    return typeof result === 'string' ? result : undefined
  }

  const remember = (tx: DbContext, key: string, runId: string) =>
    tx.projectionStore.query({
      sql: 'INSERT INTO idempotency_keys (key, scope, first_seen_at, result_json) VALUES (?, ?, ?, ?)',
      params: [key, SCOPE, world.now(), JSON.stringify(runId)]
    })

  const start = async (
    args: Parameters<FlowForgeApi['runs']['start']>[0],
    callId: string | undefined
  ): Promise<{ runId: string }> => {
    const { workflowId, parameters = {}, until, trigger = 'manual', idempotencyKey } = args
    const known = idempotencyKey === undefined ? undefined : await runOf(idempotencyKey)
    if (known !== undefined) return { runId: known }
    const runId = `run:${callId ?? world.newId()}`
    const command = aggregates.once(callId)
    if (await command.wasCarriedOut()) return { runId }
    const { state } = await aggregates.load(workflowAggregate, workflowId)
    const { version, graph } = versionOf(workflowId, state, args.version)
    if (graph.nodes.length === 0) {
      throw new FlowForgeError(
        'INVALID_INPUT',
        'This workflow is empty. Add a source, and what shall become of it.'
      )
    }
    // A graph that cannot run is refused before there is a run of it.
    await planning.plan(graph, { parameters, until })
    const cause = await context.tx.runInTransaction(async (tx) => {
      const queued = await command.execute(runAggregate, runId, {
        type: 'QueueRun',
        workflowId,
        workflowVersionId: toVersionId(workflowId, version),
        version,
        workflowName: state.name,
        trigger,
        parameters,
        ...(until === undefined ? {} : { until }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey })
      })
      if (idempotencyKey !== undefined) await remember(tx, idempotencyKey, runId)
      return queued.cause
    })
    runner.enqueue({ runId, graph, parameters, until, cause })
    return { runId }
  }

  return {
    start: handler('runs.start', inputs.start, start),
    wait: handler('runs.wait', inputs.wait, ({ runId }) => runner.wait(runId)),
    cancel: handler('runs.cancel', inputs.cancel, ({ runId }) => runner.cancel(runId))
  }
}
