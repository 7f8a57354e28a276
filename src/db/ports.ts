/**
 * The door of storage. What is here is all that the rest of FlowForge knows of it: no SQL engine, no file system.
 * Members marked + are additions to the user's document, as `api.md` and `schema-columns.md` allow them.
 */
export {
  ERROR_CODES,
  FlowForgeError,
  fromWireError,
  isFlowForgeError,
  toFlowForgeError,
  toWireError,
  type ErrorCode,
  type ErrorDetails,
  type WireError
} from './flowforge-error.ts'
export type * from './archive-port.ts'
import type { ArchivePort } from './archive-port.ts'
export type * from './backup-port.ts'
export type * from './salvage-port.ts'
import type { BackupPort } from './backup-port.ts'

export type {
  ChainDifference,
  ChainFinding,
  ChainProgress,
  ChainReport,
  ChainState,
  LogPort
} from './log-port.ts'
export type { CheckFinding, CheckReport, HealthPort, HealthState, LastEnd } from './health-port.ts'
import type { HealthPort } from './health-port.ts'
import type { LogPort } from './log-port.ts'
export type { FileRows, FileValue, ReadSqliteFile } from './sqlite-file-port.ts'
export type { Past, RebuildPort, RowChange } from './rebuild-port.ts'
import type { Past, RebuildPort, RowChange } from './rebuild-port.ts'

export {
  REPLICA_KINDS,
  fromReplicaPiece,
  type ReplicaKind,
  type ReplicaPieces,
  type ReplicaPort,
  type ReplicaStatus
} from './replica-port.ts'

import type { ReplicaPort } from './replica-port.ts'

export type JsonObject = Record<string, unknown>

/** A stored event, as it was appended; never changed afterwards. */
export type Event = {
  readonly id: string
  /** Place in the global order; grows, is never reused, may have gaps. */
  readonly position: number
  /** The whole id as the caller gave it, e.g. `workflow:wf-1`. */
  readonly aggregateId: string
  /** What stands before the first colon of `aggregateId`; `default` where there is none. */
  readonly aggregateType: string
  readonly eventType: string
  readonly eventVersion: number
  /** 1 for a stream's first event, then without a gap. */
  readonly seq: number
  readonly txId: string
  readonly causedByEventId: string | null
  readonly payload: JsonObject
  readonly metadata: JsonObject | null
  /** ISO-8601 UTC with milliseconds. */
  readonly createdAt: string
}

export type NewEvent = {
  readonly aggregateId: string
  readonly eventType: string
  readonly payload: JsonObject
  readonly metadata?: JsonObject | null | undefined
  /** + The caller's event id. The same id appended again answers with the stored event and appends nothing. */
  readonly id?: string | undefined
  /** + The seq the stream is expected to end with; 0: it must be new. Otherwise `CONFLICT`. */
  readonly expectedSeq?: number | undefined
  /** + Default 1. */
  readonly eventVersion?: number | undefined
  /** + Also read from `metadata.tx_id`. */
  readonly txId?: string | undefined
  readonly causedByEventId?: string | undefined
}

export type Snapshot = {
  readonly aggregateId: string
  readonly lastSeq: number
  readonly state: JsonObject
  readonly createdAt: string
  /** + The shape that `state` was written in. */
  readonly stateVersion: number
}

export interface EventStorePort {
  /** Appends one event. Answers when it is durable. @throws FlowForgeError `CONFLICT`, `INVALID_INPUT`, `STORAGE_FULL` */
  append(event: NewEvent): Promise<Event>
  /** + Appends all or none, under one `txId` (the first that an event brings, else a new one; an event that brings its own keeps it); an event's `expectedSeq` counts the batch's earlier events of its stream. */
  appendMany(events: readonly NewEvent[]): Promise<Event[]>
  /** A stream's events, oldest first. */
  load(args: {
    aggregateId: string
    afterSeq?: number | undefined
    limit?: number | undefined
  }): Promise<Event[]>
  /** + Events of all streams in global order. `limit` defaults to 1,000. */
  readAll(args: {
    afterPosition?: number | undefined
    limit?: number | undefined
    aggregateType?: string | undefined
    eventType?: string | undefined
    /** Events of any of these types; meant for a window of the log that `upToPosition` ends. */
    eventTypes?: readonly string[] | undefined
    upToPosition?: number | undefined
  }): Promise<Event[]>
  /** + What `load` answers, as the UTF-8 bytes of a JSON array: storage builds it, so that it can be handed on without being read. */
  loadBytes(args: Parameters<EventStorePort['load']>[0]): Promise<Uint8Array<ArrayBuffer>>
  /** + The same of `readAll`. */
  readAllBytes(args: Parameters<EventStorePort['readAll']>[0]): Promise<Uint8Array<ArrayBuffer>>
  latestSnapshot(args: { aggregateId: string }): Promise<Snapshot | null>
  /** Replaces the aggregate's snapshot, unless the stored one is of a later seq and the same `stateVersion`. */
  saveSnapshot(snapshot: {
    aggregateId: string
    lastSeq: number
    state: JsonObject
    stateVersion?: number | undefined
  }): Promise<void>
}

export type SqlValue = string | number | bigint | null | Uint8Array
export type Row = Record<string, unknown>

export interface ProjectionStorePort {
  /** Runs any one statement; for trusted code. INTEGERs beyond 2^53 come back as bigint. */
  query(args: { sql: string; params?: readonly unknown[] | undefined }): Promise<Row[]>
  /**
   * + Runs one read-only statement for an untrusted caller: writes are refused by the engine's authorizer, not by
   * looking at the text. `tables` are the tables it reads.
   * @throws FlowForgeError `NOT_ALLOWED`, `TIMEOUT` after `timeoutMs` (default 5,000), `INVALID_INPUT` for bad SQL
   */
  read(args: {
    sql: string
    params?: readonly unknown[] | undefined
    timeoutMs?: number | undefined
  }): Promise<{ rows: Row[]; tables: string[] }>
  /** Inserts rows, or on a conflict of the primary key updates the given columns and keeps the others. Objects are stored as JSON. */
  upsert(args: { table: string; rows: readonly Row[] }): Promise<void>
  /** + Sets columns of the rows whose columns equal `where`. */
  update(args: { table: string; where: Row; set: Row }): Promise<void>
  /** + Removes the rows whose columns equal `where`. */
  remove(args: { table: string; where: Row }): Promise<void>
  truncate(args: { table: string }): Promise<void>
  /** + Many of these four in one call: in this order, all or none. */
  apply(args: { changes: readonly RowChange[] }): Promise<void>
}

export interface TxPort {
  /**
   * Runs `fn` in one transaction: all of it is committed when it resolves, nothing when it throws. Calls made inside
   * nest by savepoints; every other caller's statement waits until it has ended.
   *
   * Inside `fn`, calls on the outer context belong to the transaction if `fn` awaits each of them directly and nothing
   * else. After anything else (`Promise.all`, an async helper, a timer, a fetch), and inside helpers, use the context
   * that `fn` is given: a call on the outer context would wait for the transaction that waits for it, until `TIMEOUT`.
   */
  runInTransaction<T>(fn: (context: DbContext) => T | Promise<T>): Promise<T>
}

export type BlobStat = { readonly size: number; readonly contentType?: string; readonly sha256: string }

export interface BlobStorePort {
  /** Stores bytes under a key, replacing what was there. */
  put(args: { key: string; data: Uint8Array | Blob; contentType?: string | undefined }): Promise<void>
  get(args: { key: string }): Promise<{ data: Uint8Array<ArrayBuffer>; contentType?: string } | null>
  stat(args: { key: string }): Promise<BlobStat | null>
  /** + Streams bytes in, never holding them whole; the key is `prefix` + their SHA-256 in hex. A stream that errors leaves nothing. `isNew`: nothing had that key before. */
  putStream(args: {
    prefix: string
    stream: ReadableStream<Uint8Array>
    contentType?: string | undefined
  }): Promise<{ key: string; size: number; sha256: string; isNew: boolean }>
  /** + A Blob that reads its bytes from storage as they are asked for; over OPFS a File. */
  open(args: { key: string }): Promise<Blob | null>
  /** + Forgets the key; bytes that no other key names go with it. */
  remove(args: { key: string }): Promise<void>
}

/** + What a commit changed, told after it: table names, for those who follow rows. */
export type CommitListener = (commit: { readonly tables: ReadonlySet<string> }) => void

export interface DbContext {
  readonly eventStore: EventStorePort
  readonly projectionStore: ProjectionStorePort
  readonly tx: TxPort
  readonly blobStore: BlobStorePort
  /** + The log's hash chain. Not to be awaited inside a transaction: it takes turns of its own. */
  readonly log: LogPort
  /** + Moves streams that have ended out of the way. Not to be awaited inside a transaction, either. */
  readonly archive: ArchivePort
  /** + Copies for heavy reads; absent where the engine has none. */
  readonly replicas?: ReplicaPort
  /** + Fills projections anew beside their old rows. */
  readonly rebuilds: RebuildPort
  /** + Opens an empty past; `tables` are those that will be filled, and refuse no row. */
  readonly openPast: (args: { tables: readonly string[] }) => Promise<Past>
  /** + How the storage was left, and a check of its file. */
  readonly health: HealthPort
  /** + Calls back after every commit, with the tables that it wrote. Answers with a function that ends it. */
  readonly onCommit: (listener: CommitListener) => () => void
  /** + Facts for the status page: where the data lives, and which schema it has. */
  readonly facts: () => Promise<{ storage: 'opfs' | 'memory'; schemaVersion: number; logPosition: number }>
  /** + Backup and restore. */
  readonly backup: BackupPort
  readonly close: () => Promise<void>
}
