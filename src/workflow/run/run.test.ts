import { describe, expect, it } from 'vitest'
import type { RunEvent } from './events.ts'
import type { Run } from './run-state.ts'
import { runAggregate, type RunCommand } from './run.ts'

const { decide, evolve, initial } = runAggregate

const queue: RunCommand = {
  type: 'QueueRun',
  workflowId: 'workflow:w',
  workflowVersionId: 'workflow:w@1',
  version: 1,
  workflowName: 'W',
  trigger: 'manual',
  parameters: {}
}
const start: RunCommand = { type: 'StartRun', manifest: { engine: 'x' } }
const step = (nodeId: string): RunCommand => ({
  type: 'StartStep',
  stepId: `s-${nodeId}`,
  nodeId,
  name: nodeId,
  kind: 'transform'
})
const finish: RunCommand = {
  type: 'FinishStep',
  stepId: 's-a',
  stats: { rowsIn: 1, rowsOut: 1, bytes: null, ms: 3 }
}
const artifact = (artifactId: string): RunCommand => ({
  type: 'WriteArtifact',
  artifactId,
  stepId: null,
  nodeId: null,
  role: 'source',
  kind: 'file',
  uri: 'blob',
  format: 'csv',
  columns: null,
  rows: null,
  sha256: 'abc',
  bytes: 1
})

const after = (...commands: RunCommand[]): Run =>
  commands.reduce((run, command) => eventsOf(run, command).reduce(evolve, run), initial)
const eventsOf = (run: Run, command: RunCommand): readonly RunEvent[] => {
  const decision = decide(run, command)
  if (!decision.ok) throw new Error(decision.reason)
  return decision.events
}
const reason = (run: Run, command: RunCommand): string | undefined => {
  const decision = decide(run, command)
  return decision.ok ? undefined : decision.reason
}

describe('a run', () => {
  it('goes from queued to succeeded, and keeps what was queued in its manifest', () => {
    expect(eventsOf(after(queue), start)).toMatchObject([
      { type: 'RunStarted', payload: { manifest: { workflowName: 'W', version: 1, engine: 'x' } } }
    ])
    expect(after(queue, start, step('a'), finish, { type: 'SucceedRun' }).status).toBe('succeeded')
  })

  it('tells with each step event which node it is of', () => {
    expect(eventsOf(after(queue, start), step('a'))).toEqual([
      {
        type: 'RunStepStarted',
        payload: {
          stepId: 's-a',
          nodeId: 'a',
          name: 'a',
          kind: 'transform',
          workflowVersionId: 'workflow:w@1'
        }
      }
    ])
    expect(eventsOf(after(queue, start, step('a')), finish)).toMatchObject([{ payload: { nodeId: 'a' } }])
  })

  it('ends its open steps when it fails: the failing node as failed, the others as canceled', () => {
    const error = { message: 'broken', nodeId: 'b' }
    const events = eventsOf(after(queue, start, step('a'), step('b')), { type: 'FailRun', error })
    expect(events.map(({ type }) => type)).toEqual(['RunStepCanceled', 'RunStepFailed', 'RunFailed'])
  })

  it('ends its open steps when it is canceled', () => {
    const run = after(queue, start, step('a'), { type: 'RequestCancel' })
    expect(run.cancelRequested).toBe(true)
    expect(eventsOf(run, { type: 'RequestCancel' })).toEqual([])
    expect(eventsOf(run, { type: 'CancelRun' }).map(({ type }) => type)).toEqual([
      'RunStepCanceled',
      'RunCanceled'
    ])
  })

  it('is canceled at once before it has started', () => {
    const run = after(queue, { type: 'RequestCancel' })
    expect(run.status).toBe('canceled')
    expect(reason(run, start)).toBe('run-already-ended')
  })

  it('may fail before it has started', () => {
    expect(after(queue, { type: 'FailRun', error: { message: 'no engine' } }).status).toBe('failed')
  })

  it('takes nothing after its end', () => {
    const ended = after(queue, start, step('a'), finish, { type: 'SucceedRun' })
    const log: RunCommand = { type: 'Log', logId: 'l', level: 'info', message: 'm' }
    for (const command of [
      step('b'),
      finish,
      artifact('x'),
      log,
      { type: 'CancelRun' },
      { type: 'SucceedRun' }
    ] as const) {
      expect(reason(ended, command), command.type).toBe('run-already-ended')
    }
  })

  it('refuses what makes no sense', () => {
    const running = after(queue, start, step('a'))
    expect(reason(initial, start)).toBe('unknown-run')
    expect(reason(running, queue)).toBe('run-exists')
    expect(reason(running, start)).toBe('run-already-started')
    expect(reason(after(queue), step('a'))).toBe('run-not-running')
    expect(reason(running, step('a'))).toBe('step-exists')
    expect(reason(running, { ...finish, stepId: 'zzz' })).toBe('step-not-running')
    expect(reason(running, { type: 'SucceedRun' })).toBe('steps-open')
    expect(reason(running, { type: 'Log', logId: 'l', stepId: 'zzz', level: 'info', message: '' })).toBe(
      'unknown-step'
    )
  })

  it('records lineage between its own artifacts alone', () => {
    const run = after(queue, start, artifact('x'), artifact('y'))
    const lineage = {
      type: 'RecordLineage',
      lineageId: 'l',
      fromArtifactId: 'x',
      toArtifactId: 'y',
      edge: {}
    } as const
    expect(eventsOf(run, lineage)).toHaveLength(1)
    expect(reason(run, { ...lineage, toArtifactId: 'z' })).toBe('unknown-artifact')
    expect(reason(run, artifact('x'))).toBe('artifact-exists')
  })

  it('that ended early can be resumed: what has succeeded stays, the rest has another try', () => {
    const failed = after(queue, start, step('a'), finish, step('b'), {
      type: 'FailRun',
      error: { message: 'broken', nodeId: 'b' }
    })
    const resumed = eventsOf(failed, { type: 'ResumeRun' }).reduce(evolve, failed)
    expect(resumed).toMatchObject({ status: 'running', error: null })
    expect(Object.values(resumed.steps).map(({ nodeId, status }) => [nodeId, status])).toEqual([
      ['a', 'succeeded']
    ])
    expect(reason(resumed, step('a'))).toBe('step-exists')
    expect(reason(resumed, step('b'))).toBeUndefined()
    expect(reason(resumed, start)).toBe('run-already-started')
  })

  it('that never started begins when it is resumed; one that goes on or has succeeded is not resumed', () => {
    const canceled = after(queue, { type: 'RequestCancel' })
    const resumed = eventsOf(canceled, { type: 'ResumeRun' }).reduce(evolve, canceled)
    expect(resumed).toMatchObject({ status: 'queued', cancelRequested: false })
    expect(reason(resumed, start)).toBeUndefined()
    expect(reason(after(queue, start), { type: 'ResumeRun' })).toBe('run-not-resumable')
    expect(reason(after(queue, start, { type: 'SucceedRun' }), { type: 'ResumeRun' })).toBe(
      'run-not-resumable'
    )
    expect(reason(initial, { type: 'ResumeRun' })).toBe('unknown-run')
  })
})
