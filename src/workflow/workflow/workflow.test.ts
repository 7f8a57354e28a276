import { describe, expect, it } from 'vitest'
import type { GraphChange } from '../change.ts'
import { EMPTY_GRAPH } from '../graph.ts'
import type { WorkflowEvent } from './events.ts'
import { UNDO_LIMIT, type Workflow } from './workflow-state.ts'
import { workflowAggregate, type WorkflowCommand } from './workflow.ts'

const { decide, evolve, initial } = workflowAggregate

const given = (...events: WorkflowEvent[]): Workflow => events.reduce(evolve, initial)
const when = (
  state: Workflow,
  command: WorkflowCommand
): { state: Workflow; events: readonly WorkflowEvent[] } => {
  const decision = decide(state, command)
  if (!decision.ok) throw new Error(`${decision.reason}: ${decision.message}`)
  return { events: decision.events, state: decision.events.reduce(evolve, state) }
}
const reason = (state: Workflow, command: WorkflowCommand): string | undefined => {
  const decision = decide(state, command)
  return decision.ok ? undefined : decision.reason
}

const created: WorkflowEvent = { type: 'WorkflowCreated', payload: { name: 'W' } }
const published: WorkflowEvent = { type: 'WorkflowPublished', payload: { version: 1, archived: null } }
const add = (id: string): GraphChange => ({
  type: 'add-node',
  node: { id, kind: 'transform', name: id, spec: {} }
})
const idsOf = (state: Workflow, version: number) => state.versions[version]?.graph.nodes.map(({ id }) => id)

describe('a workflow', () => {
  it('begins with an empty draft of version 1', () => {
    const { state } = when(initial, { type: 'CreateWorkflow', name: 'W' })
    expect(state).toMatchObject({ status: 'live', draft: 1, active: null, description: null })
    expect(state.versions['1']).toEqual({ version: 1, status: 'draft', graph: EMPTY_GRAPH })
  })

  it('is plain JSON', () => {
    const state = when(given(created), { type: 'EditDraft', changes: [add('a')] }).state
    expect(JSON.parse(JSON.stringify(state))).toEqual(state)
  })

  it('edits, undoes and redoes its draft', () => {
    const two = when(when(given(created), { type: 'EditDraft', changes: [add('a')] }).state, {
      type: 'EditDraft',
      changes: [add('b')]
    }).state
    const undone = when(two, { type: 'UndoEdit' })
    expect(undone.events).toEqual([
      {
        type: 'DraftEdited',
        payload: { version: 1, kind: 'undo', changes: [{ type: 'remove-node', nodeId: 'b' }] }
      }
    ])
    expect(idsOf(undone.state, 1)).toEqual(['a'])
    const redone = when(undone.state, { type: 'RedoEdit' }).state
    expect(idsOf(redone, 1)).toEqual(['a', 'b'])
    expect(reason(redone, { type: 'RedoEdit' })).toBe('nothing-to-redo')
    const other = when(undone.state, { type: 'EditDraft', changes: [add('c')] }).state
    expect(other.redo).toEqual([])
    expect(reason(given(created), { type: 'UndoEdit' })).toBe('nothing-to-undo')
  })

  it('remembers a bounded number of edits', () => {
    let state = given(created)
    for (let edit = 0; edit <= UNDO_LIMIT; edit += 1) {
      state = when(state, { type: 'EditDraft', changes: [add(`n${edit}`)] }).state
    }
    expect(state.undo).toHaveLength(UNDO_LIMIT)
    expect(state.undo[0]).toEqual([{ type: 'remove-node', nodeId: 'n1' }])
  })

  it('refuses an edit that does not fit', () => {
    expect(
      reason(given(created), { type: 'EditDraft', changes: [{ type: 'remove-node', nodeId: 'z' }] })
    ).toBe('unknown-node')
  })

  it('starts a draft from the active version when that is edited', () => {
    const { events, state } = when(given(created, published), { type: 'EditDraft', changes: [add('a')] })
    expect(events.map(({ type }) => type)).toEqual(['DraftStarted', 'DraftEdited'])
    expect(state).toMatchObject({ draft: 2, active: 1 })
    expect([idsOf(state, 1), idsOf(state, 2)]).toEqual([[], ['a']])
  })

  it('archives the last active version when a draft is published', () => {
    const draft = when(given(created, published), { type: 'StartDraft' }).state
    const { events, state } = when(draft, { type: 'PublishDraft' })
    expect(events).toEqual([{ type: 'WorkflowPublished', payload: { version: 2, archived: 1 } }])
    expect([state.versions['1']?.status, state.versions['2']?.status]).toEqual(['archived', 'active'])
    expect(state).toMatchObject({ draft: null, active: 2, undo: [] })
    expect(reason(state, { type: 'PublishDraft' })).toBe('no-draft')
    expect(reason(draft, { type: 'StartDraft' })).toBe('draft-exists')
  })

  it('says nothing where nothing changes', () => {
    expect(when(given(created), { type: 'DescribeWorkflow', name: 'W', description: '' }).events).toEqual([])
    expect(when(given(created), { type: 'DescribeWorkflow', name: 'V' }).events).toEqual([
      { type: 'WorkflowDescribed', payload: { name: 'V' } }
    ])
  })

  it('takes no command before it is created and after it is removed', () => {
    const { events, state } = when(given(created, published), { type: 'RemoveWorkflow' })
    expect(events).toEqual([{ type: 'WorkflowRemoved', payload: { versions: [1] } }])
    expect(reason(state, { type: 'UndoEdit' })).toBe('workflow-removed')
    expect(reason(initial, { type: 'UndoEdit' })).toBe('unknown-workflow')
    expect(reason(given(created), { type: 'CreateWorkflow', name: 'W' })).toBe('workflow-exists')
  })
})
