import { FlowForgeError, type DbContext } from '../../db/ports.ts'
import { RunManifest } from '../../workflow/run/run-manifest.ts'

/**
 * What a run was started with, from the log itself.
 * @throws FlowForgeError `NOT_FOUND`
 */
export const manifestOf = async (
  { eventStore }: Pick<DbContext, 'eventStore'>,
  runId: string
): Promise<RunManifest> => {
  const [queued, ...others] = await eventStore.load({ aggregateId: runId })
  if (queued?.eventType !== 'RunQueued') {
    throw new FlowForgeError('NOT_FOUND', 'There is no such run.', { runId })
  }
  const started = others.find(({ eventType }) => eventType === 'RunStarted')
  return RunManifest.parse(started?.payload['manifest'] ?? queued.payload)
}
