import type { NodeKind } from '../graph.ts'
import type { PayloadOf } from './events.ts'

export type RunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled'
export type RunStepStatus = 'running' | 'succeeded' | 'failed' | 'skipped' | 'canceled'

export type RunStep = {
  readonly stepId: string
  readonly nodeId: string
  readonly name: string
  readonly kind: NodeKind
  readonly status: RunStepStatus
}

/** A run and its steps; plain JSON, as snapshots keep it. */
export type Run = {
  readonly status: 'none' | RunStatus
  readonly queued: PayloadOf<'RunQueued'> | null
  /** By step id, in the order they started. */
  readonly steps: Readonly<Record<string, RunStep>>
  /** Node ids (null: of no node) by artifact id. */
  readonly artifacts: Readonly<Record<string, string | null>>
  readonly cancelRequested: boolean
  /** Its manifest stands. */
  readonly started: boolean
  readonly error: PayloadOf<'RunFailed'>['error'] | null
}

export const NO_RUN: Run = {
  status: 'none',
  queued: null,
  steps: {},
  artifacts: {},
  cancelRequested: false,
  started: false,
  error: null
}

export const isEnded = (run: Pick<Run, 'status'>): boolean =>
  run.status === 'succeeded' || run.status === 'failed' || run.status === 'canceled'

export const openSteps = (run: Run): readonly RunStep[] =>
  Object.values(run.steps).filter((step) => step.status === 'running')
