import { inject, type InjectionKey, type Ref } from 'vue'
import type { PortRef } from './graph/graph-edits.ts'
import type { FoundCsv } from './forms/found-csv.ts'
import type { WorkflowProblems } from './useCheck.ts'
import type { NodeEdits } from './useNodeEdits.ts'
import type { Pins } from './usePins.ts'
import type { WorkflowRun } from './useRun.ts'
import type { Selection } from './useSelection.ts'
import type { WorkflowDraft } from './useWorkflow.ts'

export type DataSourceName = {
  readonly name: string
  readonly kind: string
  /** How a CSV file was found to be cut into cells, when it came in. */
  readonly csv: FoundCsv | null
}

/** What the parts of one open editor share. */
export type EditorContext = {
  readonly workflow: WorkflowDraft
  readonly check: WorkflowProblems
  readonly selection: Selection
  readonly edits: NodeEdits
  readonly run: WorkflowRun
  readonly pins: Pins
  readonly sources: Readonly<Ref<readonly DataSourceName[]>>
  /** Selects a node, brings it into view and puts the focus on it. */
  readonly showNode: (nodeId: string) => void
  /** Opens the palette; with a loose end it shows only what fits and connects it. */
  readonly openPalette: (options?: {
    looseEnd?: PortRef & { readonly type: 'from' | 'to' }
    place?: { readonly x: number; readonly y: number }
  }) => void
  /** Asks which port the node's output goes to. */
  readonly openConnect: (from: PortRef) => void
  readonly openInspector: () => void
}

export const editorContextKey: InjectionKey<EditorContext> = Symbol('workflow editor')

export const useEditor = (): EditorContext => {
  const context = inject(editorContextKey)
  if (context === undefined) throw new Error('This part belongs inside the workflow editor.')
  return context
}

/** Names that expressions may say with a $ before them: the workflow's parameters, or those that a form provides. */
export const parameterNamesKey: InjectionKey<() => readonly string[]> = Symbol('parameter names')

export const useParameterNames = (): (() => readonly string[]) => {
  const provided = inject(parameterNamesKey, null)
  const editor = inject(editorContextKey, null)
  return provided ?? (() => Object.keys(editor?.workflow.graph.value.parameters ?? {}))
}
