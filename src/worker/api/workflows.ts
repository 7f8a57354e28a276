import { z } from 'zod'
import { GraphChange } from '../../workflow/change.ts'
import type { Graph, Parameters } from '../../workflow/graph.ts'
import type { Problem } from '../../workflow/problem.ts'
import type { Column } from '../../workflow/value-type.ts'
import type { Page } from './page.ts'
import { ParameterValues, Text, Version, WorkflowId, type In } from './parts.ts'

export const workflowsInputs = {
  /** A workflow document; parsed by its own schema so that every problem is named at once. */
  import: z.unknown(),
  export: z.strictObject({
    workflowId: WorkflowId,
    version: Version.optional(),
    keepsSecrets: z.boolean().optional()
  }),
  publish: z.strictObject({ workflowId: WorkflowId }),
  /** + An empty draft. `name` defaults to a free one: "Untitled workflow 2". */
  create: z.strictObject({ name: Text.max(200).optional(), description: z.string().max(2_000).optional() }),
  /** + What the canvas draws. `version` defaults to the draft, else the active. */
  get: z.strictObject({ workflowId: WorkflowId, version: Version.optional() }),
  /**
   * + Applies changes to the draft, all or none; an active workflow without a draft gets one first. `set-pin` is refused
   * where the artifact or its bytes are not here, or are not what the pin says.
   */
  edit: z.strictObject({ workflowId: WorkflowId, changes: z.array(GraphChange).min(1) }),
  undo: z.strictObject({ workflowId: WorkflowId }),
  redo: z.strictObject({ workflowId: WorkflowId }),
  describe: z.strictObject({
    workflowId: WorkflowId,
    name: Text.max(200).optional(),
    description: z.string().max(2_000).optional()
  }),
  /** + Its runs and their results stay. */
  remove: z.strictObject({ workflowId: WorkflowId }),
  /** + With a draft's pins. Every problem, and the columns that leave each port. */
  check: z.strictObject({ workflowId: WorkflowId, version: Version.optional() }),
  /** + Over a draft's pinned rows. First rows (default 1,000) of what leaves a node's port and the count of all. A newer preview cancels an older one. */
  preview: z.strictObject({
    workflowId: WorkflowId,
    version: Version.optional(),
    nodeId: Text,
    port: Text.optional(),
    limit: z.number().int().min(1).max(10_000).optional(),
    parameters: ParameterValues.optional()
  })
} as const

type Inputs = { [K in keyof typeof workflowsInputs]: In<(typeof workflowsInputs)[K]> }

export type WorkflowVersionStatus = 'draft' | 'active' | 'archived'
export type WorkflowView = {
  workflowId: string
  name: string
  description: string | null
  version: number
  workflowVersionId: string
  status: WorkflowVersionStatus
  versions: { version: number; workflowVersionId: string; status: WorkflowVersionStatus }[]
  graph: Graph
  parameters: Parameters
  canUndo: boolean
  canRedo: boolean
  /** Of the last event; grows with every edit. */
  seq: number
  savedAt: string
}

export type WorkflowCheck = {
  problems: Problem[]
  /** By node id, then by output port. A node with a problem upstream is missing. */
  columns: Record<string, Record<string, readonly Column[]>>
}

export type WorkflowsApi = {
  /** `problems` names what keeps it from running on this machine: data sources that are not here. */
  import(document: unknown): Promise<{ workflowId: string; workflowVersionId: string; problems: Problem[] }>
  /**
   * A document. What looks like a secret in a request's headers or path is masked in it and has to be written in again where
   * it is imported; `keepsSecrets` is for a copy that stays here.
   */
  export(args: Inputs['export']): Promise<unknown>
  publish(args: Inputs['publish']): Promise<{ workflowVersionId: string; version: number }>
  create(args: Inputs['create']): Promise<{ workflowId: string; workflowVersionId: string }>
  get(args: Inputs['get']): Promise<WorkflowView>
  edit(args: Inputs['edit']): Promise<WorkflowView>
  undo(args: Inputs['undo']): Promise<WorkflowView>
  redo(args: Inputs['redo']): Promise<WorkflowView>
  describe(args: Inputs['describe']): Promise<void>
  remove(args: Inputs['remove']): Promise<void>
  check(args: Inputs['check']): Promise<WorkflowCheck>
  /** `isTried`: an expression fails for some rows, which leave as they would in a run. */
  preview(args: Inputs['preview']): Promise<Page & { isTried?: boolean }>
}
