import type { GraphChange } from '../change.ts'
import type { Graph } from '../graph.ts'

export type VersionStatus = 'draft' | 'active' | 'archived'

/** A workflow with all its versions; plain JSON, as snapshots keep it. */
export type Workflow = {
  readonly status: 'none' | 'live' | 'removed'
  readonly name: string
  readonly description: string | null
  /** By version number. */
  readonly versions: Readonly<
    Record<string, { readonly version: number; readonly status: VersionStatus; readonly graph: Graph }>
  >
  readonly draft: number | null
  readonly active: number | null
  /** The highest version number given so far. */
  readonly latest: number
  /** Changes that take the draft one edit back, the latest edit's last; `redo` forward again. */
  readonly undo: readonly (readonly GraphChange[])[]
  readonly redo: readonly (readonly GraphChange[])[]
}

export const NO_WORKFLOW: Workflow = {
  status: 'none',
  name: '',
  description: null,
  versions: {},
  draft: null,
  active: null,
  latest: 0,
  undo: [],
  redo: []
}

/** Edits that can be taken back; older ones are forgotten, so that a state stays small enough to be snapshotted. */
export const UNDO_LIMIT = 200

/** The id of a version in `workflow_versions` and in runs. */
export const toVersionId = (workflowId: string, version: number): string => `${workflowId}@${version}`

/** The id of a node in `nodes`. */
export const toNodeRowId = (workflowVersionId: string, nodeId: string): string =>
  `${workflowVersionId}/${nodeId}`
