import { describe, expect, test } from 'vitest'
import { AGGREGATES } from './aggregates.ts'
import { catalogAggregate, type CatalogCommand } from './catalog/catalog-item.ts'
import { dataSourceAggregate, type DataSourceCommand } from './data-source/data-source.ts'
import { hasEnded, LAST_EVENT_TYPES } from './ended-streams.ts'
import { runAggregate, type RunCommand } from './run/run.ts'
import { workflowAggregate, type WorkflowCommand } from './workflow/workflow.ts'

const events = AGGREGATES.flatMap((aggregate) =>
  Object.keys(aggregate.events).map((eventType) => ({ aggregateType: aggregate.type, eventType }))
)

test('a stream has ended with the events that end its own aggregate, and with no other', () => {
  expect(
    events
      .filter(hasEnded)
      .map(({ eventType }) => eventType)
      .toSorted()
  ).toEqual(LAST_EVENT_TYPES.toSorted())
  expect(hasEnded({ aggregateType: 'run', eventType: 'WorkflowRemoved' })).toBe(false)
  expect(hasEnded({ aggregateType: 'thermometer', eventType: 'RunSucceeded' })).toBe(false)
  expect(hasEnded({ aggregateType: 'constructor', eventType: 'name' })).toBe(false)
})

describe('what has ended takes no command', () => {
  const run: RunCommand[] = [
    { type: 'StartRun', manifest: {} },
    { type: 'Log', logId: 'l', level: 'info', message: 'late' },
    { type: 'RequestCancel' },
    { type: 'SucceedRun' },
    { type: 'FailRun', error: { message: 'late' } },
    { type: 'CancelRun' }
  ]
  const queued = runAggregate.evolve(runAggregate.initial, {
    type: 'RunQueued',
    payload: {
      workflowId: 'workflow:w',
      workflowVersionId: 'workflow:w@1',
      version: 1,
      workflowName: 'W',
      trigger: 'manual',
      parameters: {}
    }
  })
  test.each([
    { type: 'RunSucceeded', payload: {} },
    { type: 'RunFailed', payload: { error: { message: 'x' } } },
    { type: 'RunCanceled', payload: {} }
  ] as const)('a run after $type', (event) => {
    const ended = runAggregate.evolve(queued, event)
    for (const command of run) expect(runAggregate.decide(ended, command).ok).toBe(false)
    // What did not succeed may be taken up again by a person; the archive lets its stream go on.
    expect(runAggregate.decide(ended, { type: 'ResumeRun' }).ok).toBe(event.type !== 'RunSucceeded')
  })

  test('a workflow that was removed', () => {
    const created = workflowAggregate.decide(workflowAggregate.initial, { type: 'CreateWorkflow', name: 'W' })
    const live = (created.ok ? created.events : []).reduce(
      workflowAggregate.evolve,
      workflowAggregate.initial
    )
    const ended = workflowAggregate.evolve(live, { type: 'WorkflowRemoved', payload: { versions: [1] } })
    const commands: WorkflowCommand[] = [
      { type: 'CreateWorkflow', name: 'W' },
      { type: 'DescribeWorkflow', name: 'X' },
      { type: 'EditDraft', changes: [] },
      { type: 'UndoEdit' },
      { type: 'StartDraft' },
      { type: 'PublishDraft' },
      { type: 'RemoveWorkflow' }
    ]
    for (const command of commands) expect(workflowAggregate.decide(ended, command).ok).toBe(false)
  })

  test('an item of the catalog that was removed', () => {
    const live = catalogAggregate.evolve(catalogAggregate.initial, {
      type: 'CatalogItemCreated',
      payload: { kind: 'dataset', name: 'D' }
    })
    const ended = catalogAggregate.evolve(live, {
      type: 'CatalogItemRemoved',
      payload: { kind: 'dataset', versions: [] }
    })
    const commands: CatalogCommand[] = [
      { type: 'UndoItemEdit' },
      { type: 'RedoItemEdit' },
      { type: 'DiscardItemDraft' },
      { type: 'PublishItemDraft', references: {} },
      { type: 'RenameItem', name: 'E' },
      { type: 'DescribeItem', description: 'late' },
      { type: 'RemoveItem' }
    ]
    for (const command of commands) expect(catalogAggregate.decide(ended, command).ok).toBe(false)
  })

  test('a data source that was removed', () => {
    const ended = dataSourceAggregate.evolve(
      { status: 'live', name: 'a.csv', imported: null, web: null, manual: null },
      { type: 'DataSourceRemoved', payload: {} }
    )
    const commands: DataSourceCommand[] = [
      { type: 'RenameDataSource', name: 'b.csv' },
      { type: 'RemoveDataSource' }
    ]
    for (const command of commands) expect(dataSourceAggregate.decide(ended, command).ok).toBe(false)
  })
})
