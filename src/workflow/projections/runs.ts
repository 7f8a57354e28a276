import type { Projection, RecordedEvent, RowChange } from '../aggregate.ts'
import type { PayloadOf, RunEvent } from '../run/events.ts'
import { toNodeRowId } from '../workflow/workflow-state.ts'
import { readRunEvents } from './narrow.ts'

type Recorded = RecordedEvent<RunEvent>

const setRun = ({ aggregateId }: Recorded, set: Record<string, unknown>): RowChange[] => [
  { op: 'update', table: 'runs', where: { id: aggregateId }, set }
]

/** `set` in `run_steps.stats_json`, too: a step's name and kind outlive its workflow. */
const naming = ({ name, kind }: PayloadOf<'RunStepCanceled'>) => ({ name, kind })

const newStep = (
  { aggregateId }: Recorded,
  payload: PayloadOf<'RunStepStarted'>,
  row: Record<string, unknown>
): RowChange[] => [
  {
    op: 'upsert',
    table: 'run_steps',
    rows: [
      {
        id: payload.stepId,
        run_id: aggregateId,
        node_id: toNodeRowId(payload.workflowVersionId, payload.nodeId),
        ...row
      }
    ]
  }
]

const endStep = (
  { createdAt }: Recorded,
  payload: PayloadOf<'RunStepCanceled'>,
  status: string,
  stats: Record<string, unknown> = {}
): RowChange[] => [
  {
    op: 'update',
    table: 'run_steps',
    where: { id: payload.stepId },
    set: { status, finished_at: createdAt, stats_json: JSON.stringify({ ...naming(payload), ...stats }) }
  }
]

const read = (event: Recorded): readonly RowChange[] => {
  const { aggregateId, createdAt } = event
  switch (event.type) {
    case 'RunQueued': {
      const { workflowVersionId, trigger } = event.payload
      const row = {
        id: aggregateId,
        workflow_version_id: workflowVersionId,
        trigger,
        status: 'queued',
        input_manifest_json: JSON.stringify(event.payload),
        created_at: createdAt
      }
      return [{ op: 'upsert', table: 'runs', rows: [row] }]
    }
    case 'RunStarted':
      return setRun(event, {
        status: 'running',
        started_at: createdAt,
        input_manifest_json: JSON.stringify(event.payload.manifest)
      })
    case 'RunResumed':
      return setRun(event, {
        status: event.payload.started ? 'running' : 'queued',
        finished_at: null,
        error_json: null
      })
    case 'RunStepStarted':
      return newStep(event, event.payload, {
        status: 'running',
        started_at: createdAt,
        finished_at: null,
        stats_json: JSON.stringify(naming(event.payload))
      })
    case 'RunStepSkipped': {
      const { reason, ...payload } = event.payload
      const stats = { ...naming(payload), ...(reason === undefined ? {} : { reason }) }
      return newStep(event, payload, {
        status: 'skipped',
        started_at: null,
        finished_at: createdAt,
        stats_json: JSON.stringify(stats)
      })
    }
    case 'RunStepSucceeded':
      return endStep(event, event.payload, 'succeeded', event.payload.stats)
    case 'RunStepFailed':
      return endStep(event, event.payload, 'failed', { error: event.payload.error })
    case 'RunStepCanceled':
      return endStep(event, event.payload, 'canceled')
    case 'RunSucceeded':
      return setRun(event, { status: 'succeeded', finished_at: createdAt })
    case 'RunFailed':
      return setRun(event, {
        status: 'failed',
        finished_at: createdAt,
        error_json: JSON.stringify(event.payload.error)
      })
    case 'RunCanceled':
      return setRun(event, { status: 'canceled', finished_at: createdAt })
    case 'ArtifactWritten':
    case 'LineageRecorded':
    case 'RunLogged':
    case 'RunCancelRequested':
      return []
  }
}

/**
 * Runs and their steps. `input_manifest_json` holds from the start what was queued (workflow's name, version,
 * parameters), so that a run can be told of when its workflow is gone.
 */
export const runsProjection: Projection = {
  name: 'runs',
  version: 1,
  mode: 'inline',
  tables: ['runs', 'run_steps'],
  hears: [
    'RunQueued',
    'RunStarted',
    'RunResumed',
    'RunStepStarted',
    'RunStepSkipped',
    'RunStepSucceeded',
    'RunStepFailed',
    'RunStepCanceled',
    'RunSucceeded',
    'RunFailed',
    'RunCanceled'
  ],
  project: readRunEvents(read)
}
