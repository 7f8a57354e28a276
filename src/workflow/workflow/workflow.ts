import { accept, refuse, type Aggregate, type Decision, type Refusal } from '../aggregate.ts'
import { applyChanges } from '../apply-changes.ts'
import type { GraphChange } from '../change.ts'
import type { Graph } from '../graph.ts'
import { evolveWorkflow } from './evolve-workflow.ts'
import { workflowEvents, type WorkflowEvent } from './events.ts'
import { NO_WORKFLOW, type Workflow } from './workflow-state.ts'

export type WorkflowCommand =
  /** With `graph`, what an imported document holds. */
  | {
      readonly type: 'CreateWorkflow'
      readonly name: string
      readonly description?: string | undefined
      readonly graph?: Graph | undefined
    }
  | {
      readonly type: 'DescribeWorkflow'
      readonly name?: string | undefined
      readonly description?: string | undefined
    }
  /** Starts a draft first where there is none. */
  | { readonly type: 'EditDraft'; readonly changes: readonly GraphChange[] }
  | { readonly type: 'UndoEdit' }
  | { readonly type: 'RedoEdit' }
  | { readonly type: 'StartDraft' }
  | { readonly type: 'PublishDraft' }
  | { readonly type: 'RemoveWorkflow' }

const missing = (state: Workflow): Refusal =>
  state.status === 'removed'
    ? refuse('workflow-removed', `The workflow "${state.name}" was removed.`)
    : refuse('unknown-workflow', 'There is no such workflow.')

const noDraft = (state: Workflow): Refusal =>
  refuse('no-draft', `The workflow "${state.name}" has no draft; edit it to start one.`)

const describe = (
  state: Workflow,
  { name, description }: Extract<WorkflowCommand, { type: 'DescribeWorkflow' }>
): Decision<WorkflowEvent> => {
  const payload = {
    ...(name === undefined || name === state.name ? {} : { name }),
    ...(description === undefined || description === (state.description ?? '') ? {} : { description })
  }
  return Object.keys(payload).length === 0 ? accept() : accept({ type: 'WorkflowDescribed', payload })
}

const startDraft = (state: Workflow): Decision<WorkflowEvent> => {
  if (state.draft !== null) {
    return refuse('draft-exists', `Version ${state.draft} of "${state.name}" is a draft already.`)
  }
  const from = state.active
  const graph = from === null ? undefined : state.versions[from]?.graph
  if (from === null || graph === undefined) return noDraft(state)
  return accept({ type: 'DraftStarted', payload: { version: state.latest + 1, from, graph } })
}

const editDraft = (state: Workflow, changes: readonly GraphChange[]): Decision<WorkflowEvent> => {
  const started = state.draft === null ? startDraft(state) : accept<WorkflowEvent>()
  if (!started.ok) return started
  const drafted = started.events.reduce(evolveWorkflow, state)
  const version = drafted.draft
  const draft = version === null ? undefined : drafted.versions[version]
  if (version === null || draft === undefined) return noDraft(state)
  if (changes.length === 0) return refuse('no-changes', 'An edit needs at least one change.')
  const applied = applyChanges(draft.graph, changes)
  if (!applied.ok) return applied
  return accept(...started.events, {
    type: 'DraftEdited',
    payload: { version, kind: 'edit', changes: [...changes] }
  })
}

const stepBack = (state: Workflow, kind: 'undo' | 'redo'): Decision<WorkflowEvent> => {
  const changes = state[kind].at(-1)
  if (state.draft === null) return noDraft(state)
  if (changes === undefined) return refuse(`nothing-to-${kind}`, `There is nothing to ${kind}.`)
  return accept({ type: 'DraftEdited', payload: { version: state.draft, kind, changes: [...changes] } })
}

/** Decides what a command means for a workflow; appends nothing itself. */
export const decideWorkflow = (state: Workflow, command: WorkflowCommand): Decision<WorkflowEvent> => {
  if (command.type === 'CreateWorkflow') {
    if (state.status !== 'none') return refuse('workflow-exists', 'There is already a workflow with this id.')
    const { type: _, ...payload } = command
    return accept({ type: 'WorkflowCreated', payload })
  }
  if (state.status !== 'live') return missing(state)
  switch (command.type) {
    case 'DescribeWorkflow':
      return describe(state, command)
    case 'EditDraft':
      return editDraft(state, command.changes)
    case 'UndoEdit':
      return stepBack(state, 'undo')
    case 'RedoEdit':
      return stepBack(state, 'redo')
    case 'StartDraft':
      return startDraft(state)
    case 'PublishDraft':
      return state.draft === null
        ? noDraft(state)
        : accept({
            type: 'WorkflowPublished',
            payload: { version: state.draft, archived: state.active }
          })
    case 'RemoveWorkflow':
      return accept({
        type: 'WorkflowRemoved',
        payload: { versions: Object.keys(state.versions).map(Number) }
      })
  }
}

export const workflowAggregate: Aggregate<Workflow, WorkflowCommand, WorkflowEvent> = {
  type: 'workflow',
  stateVersion: 1,
  events: workflowEvents,
  initial: NO_WORKFLOW,
  evolve: evolveWorkflow,
  decide: decideWorkflow
}
