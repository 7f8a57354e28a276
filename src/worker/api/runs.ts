import { z } from 'zod'
import { RunOptions } from '../../workflow/run/run-options.ts'
import { ParameterValues, Text, Version, WorkflowId, type In } from './parts.ts'

export const runsInputs = {
  start: z.strictObject({
    workflowId: WorkflowId,
    version: Version.optional(),
    trigger: z.enum(['manual', 'schedule', 'api', 'test']).optional(),
    parameters: ParameterValues.optional(),
    until: Text.optional(),
    ...RunOptions.shape,
    /** + A run of this workflow to do again, with its graph and parameters: services' answers are those it recorded, and nothing is sent. */
    replayOf: Text.optional(),
    idempotencyKey: Text.max(256).optional()
  }),
  wait: z.strictObject({ runId: Text }),
  cancel: z.strictObject({ runId: Text }),
  resume: z.strictObject({ runId: Text }),
  retry: z.strictObject({
    runId: Text,
    /** From the failed step (what succeeded is reused), or from the start. Default `failed`. */
    from: z.enum(['failed', 'start']).optional(),
    /** The graph that the run had, or the workflow's as it is now. Default `same`. */
    version: z.enum(['same', 'current']).optional()
  }),
  verify: z.strictObject({ runId: Text }),
  verification: z.strictObject({ runId: Text })
} as const

type Inputs = { [K in keyof typeof runsInputs]: In<(typeof runsInputs)[K]> }

export type RunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled'

/** What is told while a run goes on; the truth stays in `runs` and `run_steps`. */
export type RunProgress = {
  runId: string
  status: RunStatus
  elapsedMs: number
  /** By node id. `rowsOut` is null until it is known; `readBytes` is there where a large file is being read. */
  steps: Record<string, { status: string; rowsOut: number | null; ms: number | null; readBytes?: number }>
}

/** `row` is counted from 1. `before` and `after` are the cell's values, or the numbers of rows, or hashes. */
export type Verification = {
  verifies: string
  same: boolean
  compared: number
  difference: {
    nodeId: string
    what: 'missing' | 'damaged' | 'columns' | 'rows' | 'cell' | 'file'
    row: number | null
    column: string | null
    before: unknown
    after: unknown
  } | null
}

export type RunsApi = {
  start(args: Inputs['start']): Promise<{ runId: string }>
  wait(args: Inputs['wait']): Promise<{ status: RunStatus; error?: { message: string; nodeId?: string } }>
  cancel(args: Inputs['cancel']): Promise<void>
  /** Goes on with a run that failed or was canceled, from its last finished step, with the same manifest. */
  resume(args: Inputs['resume']): Promise<void>
  /** Another run of the same, after something was mended. */
  retry(args: Inputs['retry']): Promise<{ runId: string }>
  /** Runs a succeeded run's manifest again, reusing nothing; the new run fails where something else comes out. */
  verify(args: Inputs['verify']): Promise<{ runId: string }>
  /** What a run that verifies another found, with the values of the first cell that differs. */
  verification(args: Inputs['verification']): Promise<Verification>
}
