import type { DbContext } from '../../db/ports.ts'
import type { ComputeEngine, ExecutionOutcome } from '../engine/compute-engine.ts'
import type { World } from '../world.ts'
import { compareRuns, differenceWords } from './comparing.ts'
import type { RunWriter } from './run-writer.ts'
import type { QueuedRun } from './runner.ts'

type Parts = { readonly context: DbContext; readonly engine: ComputeEngine; readonly world: World }

/** A run that was to give the same as another has failed where it did not. */
export const verifyRun = async (
  { context, engine, world }: Parts,
  { runId, graph }: QueuedRun,
  verifies: string,
  { writer, signal }: { writer: RunWriter; signal: AbortSignal }
): Promise<ExecutionOutcome> => {
  await writer.written()
  const { same, compared, difference } = await compareRuns({ context, engine, signal }, verifies, runId)
  const nameOf = (nodeId: string): string => graph.nodes.find(({ id }) => id === nodeId)?.name ?? nodeId
  const message =
    difference === null
      ? `The same came out as before: ${compared} of ${compared} results are equal to the byte.`
      : `Something else came out than before. ${differenceWords(difference, nameOf)}`
  await writer.tell({
    type: 'Log',
    logId: `log:${world.newId()}`,
    level: same ? 'info' : 'error',
    message,
    meta: { verifies, same }
  })
  return difference === null
    ? { status: 'succeeded' }
    : { status: 'failed', nodeId: difference.nodeId, message }
}
