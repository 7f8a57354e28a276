import { invertChanges } from '../apply-changes.ts'
import type { GraphChange } from '../change.ts'
import { EMPTY_GRAPH, type Graph } from '../graph.ts'
import { withoutPins } from '../pinning.ts'
import type { WorkflowEvent } from './events.ts'
import { NO_WORKFLOW, UNDO_LIMIT, type VersionStatus, type Workflow } from './workflow-state.ts'

type Changes = readonly GraphChange[]

const withVersion = (
  state: Workflow,
  version: number,
  change: { readonly status?: VersionStatus; readonly graph?: Graph }
): Workflow['versions'] => {
  const before = state.versions[version] ?? { version, status: 'draft', graph: EMPTY_GRAPH }
  return { ...state.versions, [version]: { ...before, ...change } }
}

const push = (stack: readonly Changes[], changes: Changes): readonly Changes[] =>
  [...stack, changes].slice(-UNDO_LIMIT)

const edit = (
  state: Workflow,
  { version, kind, changes }: Extract<WorkflowEvent, { type: 'DraftEdited' }>['payload']
): Workflow => {
  const draft = state.versions[version]
  if (draft === undefined) return state
  const inverted = invertChanges(draft.graph, changes)
  // Decided edits always fit. One that was appended past `decide` and does not fit changes nothing.
  if (!inverted.ok) return state
  const edited = { ...state, versions: withVersion(state, version, { graph: inverted.graph }) }
  switch (kind) {
    case 'edit':
      return { ...edited, undo: push(state.undo, inverted.changes), redo: [] }
    case 'undo':
      return { ...edited, undo: state.undo.slice(0, -1), redo: push(state.redo, inverted.changes) }
    case 'redo':
      return { ...edited, undo: push(state.undo, inverted.changes), redo: state.redo.slice(0, -1) }
  }
}

const publish = (state: Workflow, version: number): Workflow => {
  const archived =
    state.active === null ? state.versions : withVersion(state, state.active, { status: 'archived' })
  const { graph = EMPTY_GRAPH } = state.versions[version] ?? {}
  return {
    ...state,
    versions: withVersion({ ...state, versions: archived }, version, {
      status: 'active',
      graph: withoutPins(graph)
    }),
    active: version,
    draft: null,
    undo: [],
    redo: []
  }
}

/** What an event makes of a workflow. */
export const evolveWorkflow = (state: Workflow, event: WorkflowEvent): Workflow => {
  switch (event.type) {
    case 'WorkflowCreated':
      return {
        ...NO_WORKFLOW,
        status: 'live',
        name: event.payload.name,
        description: event.payload.description ?? null,
        versions: withVersion(NO_WORKFLOW, 1, { graph: event.payload.graph ?? EMPTY_GRAPH }),
        draft: 1,
        latest: 1
      }
    case 'WorkflowDescribed':
      return {
        ...state,
        name: event.payload.name ?? state.name,
        description: event.payload.description ?? state.description
      }
    case 'DraftEdited':
      return edit(state, event.payload)
    case 'DraftStarted': {
      const { version, graph } = event.payload
      return {
        ...state,
        versions: withVersion(state, version, { graph }),
        draft: version,
        latest: Math.max(state.latest, version),
        undo: [],
        redo: []
      }
    }
    case 'WorkflowPublished':
      return publish(state, event.payload.version)
    case 'WorkflowRemoved':
      return { ...NO_WORKFLOW, status: 'removed', name: state.name, latest: state.latest }
  }
}
