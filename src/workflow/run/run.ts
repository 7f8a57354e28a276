import { accept, refuse, type Aggregate, type Decision, type Refusal } from '../aggregate.ts'
import type { NodeKind } from '../graph.ts'
import { evolveRun } from './evolve-run.ts'
import { runEvents, type PayloadOf, type RunEvent, type StepStats } from './events.ts'
import { isEnded, NO_RUN, openSteps, type Run, type RunStep } from './run-state.ts'

type NewStep = {
  readonly stepId: string
  readonly nodeId: string
  readonly name: string
  readonly kind: NodeKind
}

export type RunCommand =
  | ({ readonly type: 'QueueRun' } & PayloadOf<'RunQueued'>)
  /** What was queued becomes part of the manifest. */
  | { readonly type: 'StartRun'; readonly manifest: Readonly<Record<string, unknown>> }
  /** Opens a run again that failed or was canceled. */
  | { readonly type: 'ResumeRun' }
  | ({ readonly type: 'StartStep' } & NewStep)
  | { readonly type: 'FinishStep'; readonly stepId: string; readonly stats: StepStats }
  | {
      readonly type: 'FailStep'
      readonly stepId: string
      readonly error: PayloadOf<'RunStepFailed'>['error']
    }
  /** For a node that is never started. */
  | ({ readonly type: 'SkipStep'; readonly reason?: string | undefined } & NewStep)
  | { readonly type: 'CancelStep'; readonly stepId: string }
  | ({ readonly type: 'WriteArtifact' } & Omit<PayloadOf<'ArtifactWritten'>, 'workflowVersionId'>)
  | ({ readonly type: 'RecordLineage' } & PayloadOf<'LineageRecorded'>)
  | ({ readonly type: 'Log' } & PayloadOf<'RunLogged'>)
  /** A run that has not started is canceled at once. */
  | { readonly type: 'RequestCancel' }
  | { readonly type: 'SucceedRun' }
  /** Ends the open steps: that of `error.nodeId` as failed, the others as canceled. */
  | { readonly type: 'FailRun'; readonly error: PayloadOf<'RunFailed'>['error'] }
  /** Ends the open steps as canceled. */
  | { readonly type: 'CancelRun' }

type Queued = PayloadOf<'RunQueued'>
type Command<Type extends RunCommand['type']> = Extract<RunCommand, { type: Type }>

const naming = ({ stepId, nodeId, name, kind }: RunStep | NewStep): NewStep => ({
  stepId,
  nodeId,
  name,
  kind
})

const start = (run: Run, queued: Queued, { manifest }: Command<'StartRun'>): Decision<RunEvent> =>
  run.status === 'queued'
    ? accept({ type: 'RunStarted', payload: { manifest: { ...queued, ...manifest } } })
    : refuse('run-already-started', 'This run has already started.')

const newStep = (
  run: Run,
  queued: Queued,
  command: Command<'StartStep'> | Command<'SkipStep'>
): Decision<RunEvent> => {
  const { stepId } = command
  if (run.status !== 'running') return refuse('run-not-running', 'This run has not started yet.')
  if (run.steps[stepId] !== undefined) {
    return refuse('step-exists', `This run already has a step "${stepId}".`, { stepId })
  }
  const payload = { ...naming(command), workflowVersionId: queued.workflowVersionId }
  if (command.type === 'StartStep') return accept({ type: 'RunStepStarted', payload })
  const { reason } = command
  return accept({ type: 'RunStepSkipped', payload: reason === undefined ? payload : { ...payload, reason } })
}

const endStep = (
  run: Run,
  command: Command<'FinishStep'> | Command<'FailStep'> | Command<'CancelStep'>
): Decision<RunEvent> => {
  const step = run.steps[command.stepId]
  if (step?.status !== 'running') {
    return refuse('step-not-running', `No step "${command.stepId}" of this run is running.`, {
      stepId: command.stepId,
      status: step?.status ?? null
    })
  }
  switch (command.type) {
    case 'FinishStep':
      return accept({ type: 'RunStepSucceeded', payload: { ...naming(step), stats: command.stats } })
    case 'FailStep':
      return accept({ type: 'RunStepFailed', payload: { ...naming(step), error: command.error } })
    case 'CancelStep':
      return accept({ type: 'RunStepCanceled', payload: naming(step) })
  }
}

const unknownStep = (run: Run, stepId: string | null | undefined): Refusal | null =>
  stepId == null || run.steps[stepId] !== undefined
    ? null
    : refuse('unknown-step', `This run has no step "${stepId}".`, { stepId })

const writeArtifact = (run: Run, queued: Queued, command: Command<'WriteArtifact'>): Decision<RunEvent> => {
  const { type: _, ...artifact } = command
  if (run.status !== 'running') return refuse('run-not-running', 'This run has not started yet.')
  if (Object.hasOwn(run.artifacts, artifact.artifactId)) {
    return refuse('artifact-exists', `This run already has an artifact "${artifact.artifactId}".`)
  }
  return (
    unknownStep(run, artifact.stepId) ??
    accept({
      type: 'ArtifactWritten',
      payload: { ...artifact, workflowVersionId: queued.workflowVersionId }
    })
  )
}

const recordLineage = (run: Run, command: Command<'RecordLineage'>): Decision<RunEvent> => {
  const { type: _, ...payload } = command
  const ids = [payload.fromArtifactId, payload.toArtifactId]
  const unknown = ids.find((id) => !Object.hasOwn(run.artifacts, id))
  return unknown === undefined
    ? accept({ type: 'LineageRecorded', payload })
    : refuse('unknown-artifact', `This run has no artifact "${unknown}".`, { artifactId: unknown })
}

const log = (run: Run, command: Command<'Log'>): Decision<RunEvent> => {
  const { type: _, ...payload } = command
  return unknownStep(run, payload.stepId) ?? accept({ type: 'RunLogged', payload })
}

const requestCancel = (run: Run): Decision<RunEvent> => {
  if (run.status === 'queued') {
    return accept({ type: 'RunCancelRequested', payload: {} }, { type: 'RunCanceled', payload: {} })
  }
  return run.cancelRequested ? accept() : accept({ type: 'RunCancelRequested', payload: {} })
}

const succeed = (run: Run): Decision<RunEvent> => {
  if (run.status !== 'running') return refuse('run-not-running', 'This run has not started yet.')
  const open = openSteps(run)
  return open.length === 0
    ? accept({ type: 'RunSucceeded', payload: {} })
    : refuse('steps-open', `${open.length} steps of this run have not ended.`, {
        stepIds: open.map(({ stepId }) => stepId)
      })
}

const fail = (run: Run, { error }: Command<'FailRun'>): Decision<RunEvent> =>
  accept(
    ...openSteps(run).map((step): RunEvent =>
      step.nodeId === error.nodeId
        ? { type: 'RunStepFailed', payload: { ...naming(step), error: { message: error.message } } }
        : { type: 'RunStepCanceled', payload: naming(step) }
    ),
    { type: 'RunFailed', payload: { error } }
  )

const cancel = (run: Run): Decision<RunEvent> =>
  accept(...openSteps(run).map((step): RunEvent => ({ type: 'RunStepCanceled', payload: naming(step) })), {
    type: 'RunCanceled',
    payload: {}
  })

const resume = (run: Run): Decision<RunEvent> =>
  run.status === 'failed' || run.status === 'canceled'
    ? accept({ type: 'RunResumed', payload: { started: run.started } })
    : refuse(
        'run-not-resumable',
        run.status === 'succeeded'
          ? 'This run has succeeded: there is nothing left to do in it.'
          : 'This run is still going on.'
      )

/** Decides what a command means for a run; appends nothing itself. An ended run takes no command but to be resumed. */
export const decideRun = (run: Run, command: RunCommand): Decision<RunEvent> => {
  if (command.type === 'QueueRun') {
    const { type: _, ...payload } = command
    if (run.status !== 'none') return refuse('run-exists', 'There is already a run with this id.')
    return accept({ type: 'RunQueued', payload })
  }
  const { queued } = run
  if (queued === null) return refuse('unknown-run', 'There is no such run.')
  if (command.type === 'ResumeRun') return resume(run)
  if (isEnded(run)) return refuse('run-already-ended', `This run has already ended: ${run.status}.`)
  switch (command.type) {
    case 'StartRun':
      return start(run, queued, command)
    case 'StartStep':
    case 'SkipStep':
      return newStep(run, queued, command)
    case 'FinishStep':
    case 'FailStep':
    case 'CancelStep':
      return endStep(run, command)
    case 'WriteArtifact':
      return writeArtifact(run, queued, command)
    case 'RecordLineage':
      return recordLineage(run, command)
    case 'Log':
      return log(run, command)
    case 'RequestCancel':
      return requestCancel(run)
    case 'SucceedRun':
      return succeed(run)
    case 'FailRun':
      return fail(run, command)
    case 'CancelRun':
      return cancel(run)
  }
}

export const runAggregate: Aggregate<Run, RunCommand, RunEvent> = {
  type: 'run',
  stateVersion: 2,
  events: runEvents,
  initial: NO_RUN,
  evolve: evolveRun,
  decide: decideRun
}
