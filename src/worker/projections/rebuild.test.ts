import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import type { DbContext } from '../../db/ports.ts'
import { readEvent } from '../../workflow/aggregates.ts'
import type { GraphChange } from '../../workflow/change.ts'
import { ALL_PROJECTIONS } from '../../workflow/projections/all.ts'
import { workflowAggregate, type WorkflowCommand } from '../../workflow/workflow/workflow.ts'
import { createAggregateStore } from '../aggregate-store.ts'
import { createEventLog } from '../event-log.ts'
import { systemWorld } from '../world.ts'
import { rebuild } from './rebuild.ts'

const NODES = ['a', 'b', 'c', 'd']
const nodeId = fc.constantFrom(...NODES)
const edge = fc.record({
  from: nodeId,
  fromPort: fc.constant('out'),
  to: nodeId,
  toPort: fc.constantFrom('in', 'left')
})
const change: fc.Arbitrary<GraphChange> = fc.oneof(
  nodeId.map((id): GraphChange => ({
    type: 'add-node',
    node: { id, kind: 'transform', name: id, spec: { steps: [] } }
  })),
  nodeId.map((id): GraphChange => ({ type: 'remove-node', nodeId: id })),
  fc.record({ type: fc.constant('rename-node' as const), nodeId, name: fc.string({ maxLength: 5 }) }),
  fc.record({ type: fc.constant('move-node' as const), nodeId, x: fc.integer(), y: fc.integer() }),
  edge.map((each): GraphChange => ({ type: 'add-edge', edge: each })),
  edge.map((each): GraphChange => ({ type: 'remove-edge', edge: each }))
)
const command: fc.Arbitrary<WorkflowCommand> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .array(change, { minLength: 1, maxLength: 3 })
      .map((changes): WorkflowCommand => ({ type: 'EditDraft', changes }))
  },
  { weight: 1, arbitrary: fc.constant<WorkflowCommand>({ type: 'UndoEdit' }) },
  { weight: 1, arbitrary: fc.constant<WorkflowCommand>({ type: 'RedoEdit' }) },
  { weight: 1, arbitrary: fc.constant<WorkflowCommand>({ type: 'PublishDraft' }) },
  {
    weight: 1,
    arbitrary: fc
      .string({ minLength: 1, maxLength: 4 })
      .map((description): WorkflowCommand => ({ type: 'DescribeWorkflow', description }))
  },
  { weight: 1, arbitrary: fc.constant<WorkflowCommand>({ type: 'RemoveWorkflow' }) }
)

const TABLES = ['workflows', 'workflow_versions', 'nodes', 'edges']
const dump = async (context: DbContext) =>
  Promise.all(
    TABLES.map((table) => context.projectionStore.query({ sql: `SELECT * FROM ${table} ORDER BY id` }))
  )

test('rebuilt rows equal those that followed the events one by one, for any history', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (commands) => {
      const context = await openDbContext({ storage: 'memory', ...systemWorld })
      const store = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS))
      await store.execute(workflowAggregate, 'workflow:w', { type: 'CreateWorkflow', name: 'W' })
      for (const each of commands) {
        // What does not fit the state is refused, and so changes nothing.
        await store.execute(workflowAggregate, 'workflow:w', each).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'FlowForgeError' })
          expect(error).not.toMatchObject({ code: 'INTERNAL' })
        })
      }
      const followed = await dump(context)
      await rebuild(context, ALL_PROJECTIONS, readEvent)
      expect(await dump(context)).toEqual(followed)
      await context.close()
    }),
    { numRuns: 60 }
  )
})

test('a loaded aggregate is the same with a snapshot and without', async () => {
  const context = await openDbContext({ storage: 'memory', ...systemWorld })
  const store = createAggregateStore(context, createEventLog(context, ALL_PROJECTIONS))
  await store.execute(workflowAggregate, 'workflow:w', { type: 'CreateWorkflow', name: 'W' })
  for (let count = 1; count <= 120; count += 1) {
    await store.execute(workflowAggregate, 'workflow:w', {
      type: 'DescribeWorkflow',
      description: `${count}`
    })
  }
  const loaded = await store.load(workflowAggregate, 'workflow:w')
  expect(await context.eventStore.latestSnapshot({ aggregateId: 'workflow:w' })).toMatchObject({
    lastSeq: 100
  })
  expect(loaded).toMatchObject({ seq: 121, state: { description: '120', name: 'W' } })
  await context.close()
})
