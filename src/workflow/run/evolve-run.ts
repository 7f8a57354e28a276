import type { PayloadOf, RunEvent } from './events.ts'
import { NO_RUN, type Run, type RunStepStatus } from './run-state.ts'

const withStep = (run: Run, payload: PayloadOf<'RunStepCanceled'>, status: RunStepStatus): Run => {
  const { stepId, nodeId, name, kind } = payload
  return { ...run, steps: { ...run.steps, [stepId]: { stepId, nodeId, name, kind, status } } }
}

/** What has succeeded stays so; other steps have another try. */
const succeededSteps = ({ steps }: Run): Run['steps'] =>
  Object.fromEntries(Object.entries(steps).filter(([, { status }]) => status === 'succeeded'))

/** What an event makes of a run. */
export const evolveRun = (run: Run, event: RunEvent): Run => {
  switch (event.type) {
    case 'RunQueued':
      return { ...NO_RUN, status: 'queued', queued: event.payload }
    case 'RunStarted':
      return { ...run, status: 'running', started: true }
    case 'RunResumed':
      return {
        ...run,
        status: event.payload.started ? 'running' : 'queued',
        steps: succeededSteps(run),
        cancelRequested: false,
        error: null
      }
    case 'RunStepStarted':
      return withStep(run, event.payload, 'running')
    case 'RunStepSucceeded':
      return withStep(run, event.payload, 'succeeded')
    case 'RunStepFailed':
      return withStep(run, event.payload, 'failed')
    case 'RunStepSkipped':
      return withStep(run, event.payload, 'skipped')
    case 'RunStepCanceled':
      return withStep(run, event.payload, 'canceled')
    case 'ArtifactWritten':
      return { ...run, artifacts: { ...run.artifacts, [event.payload.artifactId]: event.payload.nodeId } }
    case 'LineageRecorded':
    case 'RunLogged':
      return run
    case 'RunCancelRequested':
      return { ...run, cancelRequested: true }
    case 'RunSucceeded':
      return { ...run, status: 'succeeded' }
    case 'RunFailed':
      return { ...run, status: 'failed', error: event.payload.error }
    case 'RunCanceled':
      return { ...run, status: 'canceled' }
  }
}
