import { z } from 'zod'
import { firstVersion, type EventsOf } from '../aggregate.ts'
import { NodeId, NodeKind } from '../graph.ts'
import { ValueType } from '../value-type.ts'
import { RunOptions } from './run-options.ts'

const Id = z.string().min(1)
const Count = z.int().min(0)
const JsonObject = z.record(z.string(), z.unknown())
const ParameterValue = z.union([z.string(), z.number(), z.boolean(), z.null()])

/** Repeated in each event of a step, so that rows can be made of any of them alone. */
const step = { stepId: Id, nodeId: NodeId, name: z.string(), kind: NodeKind }

export const StepStats = z.strictObject({
  rowsIn: Count.nullable(),
  rowsOut: Count.nullable(),
  bytes: Count.nullable(),
  ms: z.number().min(0),
  /** The run whose stored rows stand for this step's: it did nothing itself. */
  reused: z.strictObject({ runId: Id }).optional(),
  /** How large the engine's memory had grown when the step ended. */
  memoryBytes: Count.optional(),
  /** Rows that left by `rejected` because an expression failed for them. */
  rejected: Count.optional()
})
export type StepStats = z.infer<typeof StepStats>

/** A run is known by its workflow's name and version even after the workflow is gone. `until`: the node to run to. */
const RunQueued = z.strictObject({
  workflowId: Id,
  workflowVersionId: Id,
  version: z.int().min(1),
  workflowName: z.string(),
  trigger: z.enum(['manual', 'schedule', 'api', 'test']),
  parameters: z.record(z.string(), ParameterValue),
  until: NodeId.optional(),
  idempotencyKey: Id.optional(),
  options: RunOptions.optional(),
  /** The run that this one is another attempt of. */
  retryOf: Id.optional(),
  /** The run that this one repeats, to see whether the same comes out. */
  verifies: Id.optional(),
  /** The run whose recorded answers of services this one takes; it sends nothing. */
  replayOf: Id.optional()
})

/** `manifest` is all that it takes to run it again: what was queued, and graph, sources with SHA-256, engine. */
const RunStarted = z.strictObject({ manifest: JsonObject })

/** It goes on with its manifest, from its last finished step; `started`: it had one before. */
const RunResumed = z.strictObject({ started: z.boolean() })

/** `workflowVersionId` makes of the node's id the id of its row. */
const RunStepStarted = z.strictObject({ ...step, workflowVersionId: Id })
const RunStepSucceeded = z.strictObject({ ...step, stats: StepStats })
const RunStepFailed = z.strictObject({
  ...step,
  error: z.strictObject({ message: z.string(), details: JsonObject.optional() })
})
/** A step that never started. */
const RunStepSkipped = z.strictObject({ ...step, workflowVersionId: Id, reason: z.string().optional() })
const RunStepCanceled = z.strictObject(step)

const ArtifactColumn = z.strictObject({ name: z.string(), type: ValueType, engineType: z.string() })

/** Where the pieces of an Arrow IPC file begin; each piece is a complete stream. */
const Layout = z.strictObject({
  pieces: z.array(z.strictObject({ offset: Count, bytes: Count, rows: Count }))
})

/**
 * Which rows of the sources a table's rows came from: `uri` is the key of the bytes. `marks` are the numbers of a row, in
 * their order: a source's row (`row`), which input of a union (the node's id, or with `/` and the step), and behind a
 * join's id and a colon the same of what it brought in from the right.
 */
export const RowIds = z.strictObject({
  uri: z.string(),
  sha256: z.string(),
  bytes: Count,
  marks: z.array(z.string()).min(1)
})
export type RowIds = z.infer<typeof RowIds>

/** What a run wrote or took over, or (`role` source) a file that it read. `uri` is the key of its bytes in the blob store. */
const ArtifactWritten = z.strictObject({
  artifactId: Id,
  stepId: Id.nullable(),
  nodeId: NodeId.nullable(),
  workflowVersionId: Id,
  /** `checkpoint`: rows in the middle of a workflow, kept so that they need not be computed again. */
  role: z.enum(['source', 'result', 'checkpoint']),
  kind: z.enum(['table', 'file', 'view', 'http_response', 'metrics']),
  uri: z.string(),
  format: z.enum(['parquet', 'arrow', 'csv', 'xlsx', 'json', 'duckdb', 'sqlite']).nullable(),
  columns: z.array(ArtifactColumn).nullable(),
  rows: Count.nullable(),
  sha256: z.string(),
  bytes: Count,
  layout: Layout.optional(),
  fileName: z.string().optional(),
  /** Equal keys, equal bytes: what another run may take instead of computing it. */
  key: z.string().optional(),
  /** The port that a table's rows left its node by, where it is not the sink's own. */
  port: z.string().optional(),
  /** The artifact of an earlier run whose bytes these are. */
  reusedFrom: Id.optional(),
  rowIds: RowIds.optional()
})

const LineageRecorded = z.strictObject({
  lineageId: Id,
  fromArtifactId: Id,
  toArtifactId: Id,
  edge: JsonObject
})

const RunLogged = z.strictObject({
  logId: Id,
  stepId: Id.optional(),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  message: z.string(),
  meta: JsonObject.optional()
})

const RunFailed = z.strictObject({
  error: z.strictObject({ message: z.string(), nodeId: NodeId.optional(), code: z.string().optional() })
})
const Nothing = z.strictObject({})

export const runEvents = {
  RunQueued: firstVersion(RunQueued),
  RunStarted: firstVersion(RunStarted),
  RunResumed: firstVersion(RunResumed),
  RunStepStarted: firstVersion(RunStepStarted),
  RunStepSucceeded: firstVersion(RunStepSucceeded),
  RunStepFailed: firstVersion(RunStepFailed),
  RunStepSkipped: firstVersion(RunStepSkipped),
  RunStepCanceled: firstVersion(RunStepCanceled),
  ArtifactWritten: firstVersion(ArtifactWritten),
  LineageRecorded: firstVersion(LineageRecorded),
  RunLogged: firstVersion(RunLogged),
  RunCancelRequested: firstVersion(Nothing),
  RunSucceeded: firstVersion(Nothing),
  RunFailed: firstVersion(RunFailed),
  RunCanceled: firstVersion(Nothing)
} as const

export type RunEvent = EventsOf<typeof runEvents>
export type PayloadOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>['payload']
