import type { Projection, RecordedEvent, RowChange } from '../aggregate.ts'
import type { RunEvent } from '../run/events.ts'
import { readRunEvents } from './narrow.ts'

const read = (event: RecordedEvent<RunEvent>): readonly RowChange[] => {
  const { aggregateId, createdAt } = event
  const set = (columns: Record<string, unknown>): RowChange[] => [
    { op: 'update', table: 'workflow_runs', where: { id: aggregateId }, set: columns }
  ]
  switch (event.type) {
    case 'RunQueued': {
      const { workflowId, workflowName, version, trigger } = event.payload
      const row = {
        id: aggregateId,
        workflow_id: workflowId,
        workflow_name: workflowName,
        version,
        trigger,
        status: 'queued',
        queued_at: createdAt,
        started_at: null,
        finished_at: null
      }
      return [{ op: 'upsert', table: 'workflow_runs', rows: [row] }]
    }
    case 'RunStarted':
      return set({ status: 'running', started_at: createdAt })
    case 'RunResumed':
      return set({ status: event.payload.started ? 'running' : 'queued', finished_at: null })
    case 'RunSucceeded':
      return set({ status: 'succeeded', finished_at: createdAt })
    case 'RunFailed':
      return set({ status: 'failed', finished_at: createdAt })
    case 'RunCanceled':
      return set({ status: 'canceled', finished_at: createdAt })
    case 'RunStepStarted':
    case 'RunStepSkipped':
    case 'RunStepSucceeded':
    case 'RunStepFailed':
    case 'RunStepCanceled':
    case 'ArtifactWritten':
    case 'LineageRecorded':
    case 'RunLogged':
    case 'RunCancelRequested':
      return []
  }
}

/**
 * What workflows have been doing: each run with the workflow it was of, summed up by workflow in the view
 * `workflow_activity`. Neither goes when the workflow does. Over all runs' streams, so it follows the log on its own.
 */
export const workflowActivityProjection: Projection = {
  name: 'workflow-activity',
  version: 1,
  mode: 'async',
  tables: ['workflow_runs'],
  views: ['workflow_activity'],
  hears: ['RunQueued', 'RunStarted', 'RunResumed', 'RunSucceeded', 'RunFailed', 'RunCanceled'],
  project: readRunEvents(read)
}
