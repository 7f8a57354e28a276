/**
 * The door of the worker: the schema and type of every call. The page imports this file alone.
 * `DbApi` is the user's `window.db`, `FlowForgeApi` is `window.flowforge`; `api.md` is what both keep to. Calls marked
 * + are the app's own additions. Every call takes one object and fails with a `FlowForgeError`.
 */
import { z } from 'zod'
import {
  REPLICA_KINDS,
  type BackupProgress,
  type BackupSummary,
  type ChainProgress,
  type ChainReport,
  type ChainState,
  type CheckReport,
  type ErrorCode,
  type Event,
  type HealthState,
  type KeptCopy,
  type ReplicaPieces,
  type ReplicaStatus,
  type Row,
  type Snapshot,
  type WireError
} from '../db/ports.ts'
import { GraphChange } from '../workflow/change.ts'
import type { Graph, Parameters } from '../workflow/graph.ts'
import type { Problem } from '../workflow/problem.ts'
import { BackupRhythm, FolderHandle, type MadeBackup } from './backups/notes.ts'
import type { ProjectionStatus } from './projections/statuses.ts'
import type { StateAt } from './projections/past.ts'
import type { Column, ValueType } from '../workflow/value-type.ts'

export {
  ERROR_CODES,
  FlowForgeError,
  fromReplicaPiece,
  fromWireError,
  isFlowForgeError,
  toWireError
} from '../db/ports.ts'
export type { ReplicaKind, ReplicaPieces, ReplicaStatus } from '../db/ports.ts'
export type {
  ChainDifference,
  ChainFinding,
  ChainProgress,
  ChainReport,
  ChainState,
  CheckFinding,
  CheckReport,
  ErrorCode,
  Event,
  HealthState,
  LastEnd,
  Row,
  Snapshot,
  WireError
} from '../db/ports.ts'
export type { BackupProgress, BackupSummary, KeptCopy } from '../db/ports.ts'

// ── window.db ────────────────────────────────────────────────────────────────────────────────────────────────────────

const Text = z.string().min(1)
const JsonObject = z.record(z.string(), z.unknown())
const Seq = z.number().int().min(0)

/** Names of tables and columns, as `database-layer.md` allows them. */
export const TableName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/)

export const NewEventInput = z.strictObject({
  aggregateId: Text.max(512),
  eventType: Text.max(256),
  payload: JsonObject,
  metadata: JsonObject.nullish(),
  id: Text.max(256).optional(),
  expectedSeq: Seq.optional(),
  eventVersion: z.number().int().min(1).optional(),
  txId: Text.max(256).optional(),
  causedByEventId: Text.max(256).optional()
})

/** One read-only statement. */
export const QueryInput = z.strictObject({ sql: Text, params: z.array(z.unknown()).optional() })
const Replica = z.enum(REPLICA_KINDS)

/** The argument of every `window.db` call. */
export const dbInputs = {
  appendEvent: NewEventInput,
  appendEvents: z.strictObject({ events: z.array(NewEventInput).min(1).max(10_000) }),
  loadEvents: z.strictObject({
    aggregateId: Text,
    afterSeq: Seq.optional(),
    limit: z.number().int().min(1).optional()
  }),
  readAll: z.strictObject({
    afterPosition: z.number().int().min(0).optional(),
    limit: z.number().int().min(1).max(100_000).optional(),
    aggregateType: Text.optional(),
    eventType: Text.optional()
  }),
  latestSnapshot: z.strictObject({ aggregateId: Text }),
  saveSnapshot: z.strictObject({ aggregateId: Text, lastSeq: z.number().int().min(1), state: JsonObject }),
  queryProjection: QueryInput.extend({
    /** + Asked instead of the database, so that a heavy read leaves it alone; `analytics` speaks DuckDB's SQL. */
    replica: Replica.optional(),
    /** + What the log must have reached before a replica answers; it always has what was answered before the call. */
    minPosition: z.number().int().min(0).optional()
  }),
  upsertProjection: z.strictObject({ table: TableName, rows: z.array(JsonObject) }),
  truncateProjection: z.strictObject({ table: TableName }),
  putBlob: z.strictObject({
    key: Text.max(1024),
    data: z.union([z.instanceof(Uint8Array), z.instanceof(Blob)]),
    contentType: Text.optional()
  }),
  getBlob: z.strictObject({ key: Text }),
  statBlob: z.strictObject({ key: Text })
} as const

/** What a subscription starts after, and lets through; `afterPosition` defaults to the log's end. */
export const SubscribeInput = z.strictObject({
  afterPosition: z.number().int().min(0).optional(),
  aggregateType: Text.optional(),
  eventType: Text.optional(),
  /** + The history that `afterPosition` is of (`backup.status` has it): where another has taken its place, `CONFLICT`. */
  generation: z.number().int().min(0).optional()
})
export type EventListener = (event: Event) => unknown

type In<S extends z.ZodType> = z.input<S>
type DbInputs = { [K in keyof typeof dbInputs]: In<(typeof dbInputs)[K]> }

export type DbApi = {
  appendEvent(args: DbInputs['appendEvent']): Promise<Event>
  appendEvents(args: DbInputs['appendEvents']): Promise<Event[]>
  loadEvents(args: DbInputs['loadEvents']): Promise<Event[]>
  readAll(args: DbInputs['readAll']): Promise<Event[]>
  /**
   * Hands on the events after a position and then those that come, in order, each once. The next is handed on when the
   * listener's answer to the last has settled. A listener that throws ends the subscription, and so does a restore, with
   * `CONFLICT`: its positions are those of another history, and whoever follows begins again. `onFailure` hears why it
   * ended by itself; where none is given, it is reported as an uncaught error. Answers with a function that ends it.
   */
  subscribe(
    args: In<typeof SubscribeInput> & { listener?: EventListener; onFailure?: (error: unknown) => void },
    listener?: EventListener
  ): () => void
  latestSnapshot(args: DbInputs['latestSnapshot']): Promise<Snapshot | null>
  saveSnapshot(args: DbInputs['saveSnapshot']): Promise<void>
  queryProjection(args: DbInputs['queryProjection']): Promise<Row[]>
  upsertProjection(args: DbInputs['upsertProjection']): Promise<void>
  truncateProjection(args: DbInputs['truncateProjection']): Promise<void>
  putBlob(args: DbInputs['putBlob']): Promise<void>
  getBlob(args: DbInputs['getBlob']): Promise<{ data: Uint8Array; contentType?: string } | null>
  statBlob(args: DbInputs['statBlob']): Promise<{ size: number; contentType?: string } | null>
}

// ── window.flowforge ─────────────────────────────────────────────────────────────────────────────────────────────────

const WorkflowId = Text
const Version = z.number().int().min(1)
const ParameterValues = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))

export const flowForgeInputs = {
  sources: {
    /** `name` defaults to the file's; a name that is taken gets a number behind it: `orders (2).csv`. */
    importFile: z.strictObject({ file: z.instanceof(File), name: Text.max(200).optional() }),
    /** + First rows and the count of all. */
    preview: z.strictObject({
      dataSourceId: Text,
      offset: z.number().int().min(0).optional(),
      limit: z.number().int().min(1).max(10_000).optional()
    }),
    /** + The names that workflows know it by change with it only in drafts that are edited by hand. */
    rename: z.strictObject({ dataSourceId: Text, name: Text.max(200) }),
    /** + Removes it from the catalog; refused with `CONFLICT` while a draft or an active version names it. */
    remove: z.strictObject({ dataSourceId: Text })
  },
  workflows: {
    /** A workflow document; parsed by its own schema so that every problem is named at once. */
    import: z.unknown(),
    export: z.strictObject({ workflowId: WorkflowId, version: Version.optional() }),
    publish: z.strictObject({ workflowId: WorkflowId }),
    /** + An empty draft. `name` defaults to a free one: "Untitled workflow 2". */
    create: z.strictObject({ name: Text.max(200).optional(), description: z.string().max(2_000).optional() }),
    /** + What the canvas draws. `version` defaults to the draft, else the active. */
    get: z.strictObject({ workflowId: WorkflowId, version: Version.optional() }),
    /** + Applies changes to the draft, all or none; an active workflow without a draft gets one first. */
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
    /** + Every problem, and the columns that leave each port. */
    check: z.strictObject({ workflowId: WorkflowId, version: Version.optional() }),
    /** + First rows (default 1,000) of what leaves a node's port and the count of all. A newer preview cancels an older one. */
    preview: z.strictObject({
      workflowId: WorkflowId,
      version: Version.optional(),
      nodeId: Text,
      port: Text.optional(),
      limit: z.number().int().min(1).max(10_000).optional(),
      parameters: ParameterValues.optional()
    })
  },
  runs: {
    start: z.strictObject({
      workflowId: WorkflowId,
      version: Version.optional(),
      trigger: z.enum(['manual', 'schedule', 'api', 'test']).optional(),
      parameters: ParameterValues.optional(),
      until: Text.optional(),
      idempotencyKey: Text.max(256).optional()
    }),
    wait: z.strictObject({ runId: Text }),
    cancel: z.strictObject({ runId: Text })
  },
  artifacts: {
    read: z.strictObject({
      artifactId: Text,
      offset: z.number().int().min(0).optional(),
      limit: z.number().int().min(1).max(100_000).optional()
    }),
    save: z.strictObject({ artifactId: Text, format: z.enum(['csv', 'json', 'xlsx']) })
  },
  replicas: {
    /** + Drops a replica and builds it anew; answers when it follows the log again. */
    rebuild: z.strictObject({ replica: Replica }),
    /** + Compares a replica with the database; one that differs is dropped, and the next question builds it anew. */
    check: z.strictObject({ replica: Replica })
  },
  projections: {
    /** + Every read model: how far it is, and what it waits for. */
    list: z.strictObject({}).optional(),
    /** + For async ones; the others are written with each event. */
    pause: z.strictObject({ projection: Text }),
    resume: z.strictObject({ projection: Text }),
    /** + Tries the event at which it is parked again. */
    retry: z.strictObject({ projection: Text }),
    /** + Leaves out the event at which it is parked. `by` stays on record. */
    skip: z.strictObject({ projection: Text, eventId: Text, by: Text.max(200).optional() }),
    /** + Fills its tables, or those of all, anew from the log; answers when the new rows are in place. */
    rebuild: z.strictObject({ projection: Text.optional() }).optional()
  },
  history: {
    /** + Rows of a query over the read models as they were after the event at a position. */
    stateAt: z.strictObject({
      position: z.number().int().min(0),
      sql: Text,
      params: z.array(z.unknown()).optional()
    })
  },
  examples: {
    /** + Imports an example's bundled data and its workflow; a second time it answers with what is there. */
    open: z.strictObject({ example: Text })
  },
  log: {
    /** + How far the log's hash chain reaches, and how far a check that is under way has come. */
    state: z.strictObject({}).optional(),
    /** + Hashes the whole log anew and names what differs. Asked again while it is under way, it answers once for all. */
    verify: z.strictObject({}).optional()
  },
  health: {
    /** + How the storage was left the last time, and what the last check found. */
    state: z.strictObject({}).optional(),
    /** + Checks the database's file, a table a turn. */
    check: z.strictObject({}).optional()
  },
  backup: {
    create: z.strictObject({}).optional(),
    /** The file itself, or + what `inspect` answered with for it. */
    restore: z.union([
      z.instanceof(Blob),
      z.strictObject({ file: z.instanceof(Blob) }),
      z.strictObject({ inspectionId: Text })
    ]),
    /** + Reads a file in and verifies all of it; nothing is replaced. */
    inspect: z.strictObject({ file: z.instanceof(Blob) }),
    /** + Forgets what was inspected last. */
    discard: z.strictObject({}).optional(),
    /** + What was there before the last restore comes back. */
    undoRestore: z.strictObject({}).optional(),
    /** + Ends the backup or the inspection that is under way; it fails with `CANCELED`. */
    cancel: z.strictObject({}).optional(),
    status: z.strictObject({}).optional(),
    /** + A copy that was kept before a migration or a restore, as a backup. */
    saveKept: z.strictObject({ file: Text }),
    removeKept: z.strictObject({ file: Text }),
    /** + Backups by themselves, into a folder that the person chose; the one that is chosen already where none is given. */
    setSchedule: z.strictObject({
      folder: FolderHandle.optional(),
      rhythm: BackupRhythm,
      /** How many of the latest stay in the folder. */
      keep: z.number().int().min(1).max(1_000)
    }),
    /** + What was made stays in the folder. */
    removeSchedule: z.strictObject({}).optional(),
    /** + One more into the chosen folder, now. */
    createScheduled: z.strictObject({}).optional(),
    /** + The chosen folder, for the page to ask the person for it again. */
    folder: z.strictObject({}).optional(),
    /** + `inspect` for the latest backup in the chosen folder. */
    inspectLatest: z.strictObject({}).optional()
  }
} as const

type FlowForgeInputs = {
  [G in keyof typeof flowForgeInputs]: {
    [K in keyof (typeof flowForgeInputs)[G]]: (typeof flowForgeInputs)[G][K] extends z.ZodType
      ? In<(typeof flowForgeInputs)[G][K]>
      : never
  }
}

/** Rows of a table: integers beyond 2^53 are bigints, decimals text with every digit, dates and times ISO text. */
export type Page = {
  columns: { name: string; type: ValueType }[]
  rows: Row[]
  /** Of all rows, not of these. */
  total: number
}

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

export type RunStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled'

/** What is told while a run goes on; the truth stays in `runs` and `run_steps`. */
export type RunProgress = {
  runId: string
  status: RunStatus
  elapsedMs: number
  /** By node id. `rowsOut` is null until it is known. */
  steps: Record<string, { status: string; rowsOut: number | null; ms: number | null }>
}

export type { BackupRhythm, MadeBackup, ProjectionStatus, StateAt }
export type Status = {
  /** + Empty where the engine has none. */
  replicas: readonly ReplicaStatus[]
  /** A follower works through the tab that leads. */
  role: 'leader' | 'follower'
  storage: 'opfs' | 'memory'
  persisted: boolean
  usage: number
  quota: number
  schemaVersion: number
  logPosition: number
  projections: ProjectionStatus[]
  /**
   * + When the last backup was made, ISO-8601 UTC, and how many events came since; `at` is null where none was. Null
   * where the notes on backups cannot be read: `backup.status` says why.
   */
  lastBackup: { at: string | null; eventsSince: number } | null
}

export type BackupStatus = {
  /** Of the job that is under way. */
  progress: BackupProgress | null
  kept: readonly KeptCopy[]
  /** Grows with every restore. */
  generation: number
  /** Why the last restore was taken back, if it was. */
  problem: string | null
  /** The last that was made, wherever to; of other browsers and machines nothing is known. */
  last: MadeBackup | null
  /** How many events are in no backup. */
  eventsSince: number
  /** Null where no folder was chosen. */
  schedule: {
    folderName: string
    rhythm: BackupRhythm
    keep: number
    last: MadeBackup | null
    /** Why the last try failed. `reason` is `folder-permission` where the person can allow it again, else `folder-gone` and such. */
    problem: { at: string; code: string; message: string; reason: string | null } | null
  } | null
}

export type FlowForgeApi = {
  sources: {
    importFile(
      args: FlowForgeInputs['sources']['importFile']
    ): Promise<{ dataSourceId: string; name: string }>
    preview(args: FlowForgeInputs['sources']['preview']): Promise<Page>
    rename(args: FlowForgeInputs['sources']['rename']): Promise<void>
    remove(args: FlowForgeInputs['sources']['remove']): Promise<void>
  }
  workflows: {
    /** `problems` names what keeps it from running on this machine: data sources that are not here. */
    import(document: unknown): Promise<{ workflowId: string; workflowVersionId: string; problems: Problem[] }>
    export(args: FlowForgeInputs['workflows']['export']): Promise<unknown>
    publish(
      args: FlowForgeInputs['workflows']['publish']
    ): Promise<{ workflowVersionId: string; version: number }>
    create(
      args: FlowForgeInputs['workflows']['create']
    ): Promise<{ workflowId: string; workflowVersionId: string }>
    get(args: FlowForgeInputs['workflows']['get']): Promise<WorkflowView>
    edit(args: FlowForgeInputs['workflows']['edit']): Promise<WorkflowView>
    undo(args: FlowForgeInputs['workflows']['undo']): Promise<WorkflowView>
    redo(args: FlowForgeInputs['workflows']['redo']): Promise<WorkflowView>
    describe(args: FlowForgeInputs['workflows']['describe']): Promise<void>
    remove(args: FlowForgeInputs['workflows']['remove']): Promise<void>
    check(args: FlowForgeInputs['workflows']['check']): Promise<WorkflowCheck>
    preview(args: FlowForgeInputs['workflows']['preview']): Promise<Page>
  }
  runs: {
    start(args: FlowForgeInputs['runs']['start']): Promise<{ runId: string }>
    wait(
      args: FlowForgeInputs['runs']['wait']
    ): Promise<{ status: RunStatus; error?: { message: string; nodeId?: string } }>
    cancel(args: FlowForgeInputs['runs']['cancel']): Promise<void>
  }
  artifacts: {
    read(args: FlowForgeInputs['artifacts']['read']): Promise<Page>
    save(args: FlowForgeInputs['artifacts']['save']): Promise<Blob>
  }
  replicas: {
    rebuild(args: FlowForgeInputs['replicas']['rebuild']): Promise<void>
    check(args: FlowForgeInputs['replicas']['check']): Promise<{ isSame: boolean }>
  }
  projections: {
    list(args?: FlowForgeInputs['projections']['list']): Promise<ProjectionStatus[]>
    pause(args: FlowForgeInputs['projections']['pause']): Promise<void>
    resume(args: FlowForgeInputs['projections']['resume']): Promise<void>
    retry(args: FlowForgeInputs['projections']['retry']): Promise<void>
    skip(args: FlowForgeInputs['projections']['skip']): Promise<void>
    rebuild(args?: FlowForgeInputs['projections']['rebuild']): Promise<void>
  }
  history: {
    stateAt(args: FlowForgeInputs['history']['stateAt']): Promise<StateAt>
  }
  examples: {
    open(args: FlowForgeInputs['examples']['open']): Promise<{ workflowId: string }>
  }
  log: {
    state(args?: FlowForgeInputs['log']['state']): Promise<LogState>
    verify(args?: FlowForgeInputs['log']['verify']): Promise<ChainReport>
  }
  health: {
    state(args?: FlowForgeInputs['health']['state']): Promise<HealthState>
    check(args?: FlowForgeInputs['health']['check']): Promise<CheckReport>
  }
  backup: {
    /** One SQLite file with everything in it; what is done meanwhile goes on. */
    create(args?: FlowForgeInputs['backup']['create']): Promise<File>
    /** Answers when it is in its place; calls made from then on are about what was restored. */
    restore(args: FlowForgeInputs['backup']['restore']): Promise<BackupSummary>
    inspect(
      args: FlowForgeInputs['backup']['inspect']
    ): Promise<{ inspectionId: string; summary: BackupSummary }>
    discard(args?: FlowForgeInputs['backup']['discard']): Promise<void>
    undoRestore(args?: FlowForgeInputs['backup']['undoRestore']): Promise<void>
    cancel(args?: FlowForgeInputs['backup']['cancel']): Promise<void>
    status(args?: FlowForgeInputs['backup']['status']): Promise<BackupStatus>
    saveKept(args: FlowForgeInputs['backup']['saveKept']): Promise<File>
    removeKept(args: FlowForgeInputs['backup']['removeKept']): Promise<void>
    setSchedule(args: FlowForgeInputs['backup']['setSchedule']): Promise<void>
    removeSchedule(args?: FlowForgeInputs['backup']['removeSchedule']): Promise<void>
    createScheduled(args?: FlowForgeInputs['backup']['createScheduled']): Promise<MadeBackup>
    folder(args?: FlowForgeInputs['backup']['folder']): Promise<FileSystemDirectoryHandle>
    inspectLatest(
      args?: FlowForgeInputs['backup']['inspectLatest']
    ): Promise<{ inspectionId: string; fileName: string; summary: BackupSummary }>
  }
  status(): Promise<Status>
}

export type LogState = ChainState & { verifying: ChainProgress | null }

// ── What the page's own client uses beside the two ───────────────────────────────────────────────────────────────────

/** How far the worker has come; the page shows a screen for each. */
export type Boot =
  | { state: 'starting' }
  | { state: 'ready' }
  /** The storage takes long to open; `ready` follows. */
  | { state: 'slow' }
  /** The tab that holds the storage does not answer; it leads since then, ISO-8601 UTC, if it says so. Goes on when it does. */
  | { state: 'no-answer'; since: string | null }
  /** A tab with an older version of the code carries out a run; this one takes over when that has ended. */
  | { state: 'run-elsewhere' }
  /** A tab with a newer version of the code holds the storage: this one works no more until it is reloaded. */
  | { state: 'outdated' }
  /** Another tab with another version of the code holds the storage; `ready` follows by itself when it lets go. */
  | { state: 'other-tab' }
  /** A backup takes the place of what was there; calls wait, and `ready` follows. */
  | { state: 'restoring' }
  | { state: 'storage-unavailable'; message: string }
  | { state: 'failed'; message: string; code: ErrorCode }

/** `DbApi` as it crosses the boundary: lists of events are the UTF-8 bytes of their JSON, transferred instead of copied. */
export type WireDbApi = Omit<DbApi, 'loadEvents' | 'readAll' | 'queryProjection' | 'subscribe'> & {
  queryProjection(args: DbInputs['queryProjection']): Promise<Row[] | { pieces: ReplicaPieces }>
  loadEvents(args: DbInputs['loadEvents']): Promise<Uint8Array>
  readAll(args: DbInputs['readAll']): Promise<Uint8Array>
}

/** One call of the door. Sent again under its id, a command lands once. */
export const DoorCall = z.strictObject({ id: Text, path: z.array(Text).min(2), args: z.unknown() })

/**
 * Events, and the position up to which nothing is missing: whoever goes on later goes on from there, in the same
 * generation, or not at all.
 */
export type LogBatch = {
  readonly events: readonly Event[]
  readonly position: number
  readonly generation: number
}

export type WorkerApi = {
  /** Carries out one of the calls of `db` and `flowforge`. The page makes the id and keeps the call until it is answered. */
  call(call: In<typeof DoorCall>, wasSent: boolean): Promise<unknown>
  /** The page gave this call up: it is not sent to another leader. */
  forget(id: string): Promise<void>
  /** Holds the lock of this name until the worker ends, however that comes; answers when it is held. */
  holdLock(name: string): Promise<void>
  /** Calls back now and whenever it changes. */
  onBoot(listener: (boot: Boot) => void): Promise<void>
  /** Rows of a read-only query, now and after each commit that touched a table it reads; answers with a function that ends it. */
  liveQuery(
    args: { sql: string; params?: unknown[] },
    listener: (answer: { rows: Row[] } | { error: { code: string; message: string } }) => void
  ): Promise<() => void>
  /** Events in batches, each handed on when the listener has settled; `onFailure` hears why it ended by itself. */
  subscribe(
    args: In<typeof SubscribeInput>,
    listener: (batch: LogBatch) => unknown,
    onFailure: (error: WireError) => void
  ): Promise<() => void>
  /** Progress of every run, at most ten times a second each. */
  onProgress(listener: (progress: RunProgress) => void): Promise<() => void>
}
