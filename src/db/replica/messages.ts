import type { WireError } from '../flowforge-error.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'

/** A table as a replica makes it. */
export type ReplicaTable = {
  readonly name: string
  readonly sql: readonly string[]
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly primaryKey: readonly string[]
  /** A view reads in which order its rows came: by their rowids, which no changeset knows. */
  readonly isOrdered: boolean
}

/** The rows that have come to an ordered table, by their keys, in the order in which they came. */
export type NewRows = { readonly table: string; readonly keys: readonly (readonly Bound[])[] }

/** A view as the database has it; its statement is SQLite's. */
export type ReplicaView = { readonly name: string; readonly sql: string }

/** What the writer tells a replica, in the order of its commits. */
export type FeedMessage =
  | {
      readonly type: 'tables'
      readonly tables: readonly ReplicaTable[]
      /** In the order in which they were made. */
      readonly views: readonly ReplicaView[]
    }
  /** Rows as they stood at this point: a JSON array of arrays, BLOBs in hex, integers beyond 2^53 as text. */
  | { readonly type: 'rows'; readonly table: string; readonly rows: Uint8Array<ArrayBuffer> }
  /** All rows have been sent: from here on every change must fit. */
  | { readonly type: 'copied'; readonly position: number }
  /** What was committed since the last, as a changeset of SQLite's session extension. */
  | {
      readonly type: 'changes'
      readonly changeset: Uint8Array<ArrayBuffer>
      readonly newRows: readonly NewRows[]
      readonly position: number
    }

export type Question =
  | {
      readonly type: 'read'
      readonly id: number
      readonly sql: string
      readonly params: readonly (string | number | bigint | null | Uint8Array)[]
      readonly timeoutMs: number
    }
  | { readonly type: 'count'; readonly id: number }

export type ToReplica = FeedMessage | Question

export type FromReplica =
  /** What was told is done. */
  | { readonly type: 'at'; readonly position: number; readonly isBuilt: boolean }
  | { readonly type: 'answer'; readonly id: number; readonly pieces: readonly Uint8Array<ArrayBuffer>[] }
  | { readonly type: 'counts'; readonly id: number; readonly counts: Readonly<Record<string, string>> }
  | { readonly type: 'refusal'; readonly id: number; readonly error: WireError }
  /** It cannot follow: what it holds is of no use any more. */
  | { readonly type: 'lost'; readonly error: WireError }

/** Where a replica lives: a worker, or in tests the same thread. */
export type ReplicaChannel = {
  post(message: ToReplica, transfer?: Transferable[]): void
  listen(onMessage: (message: FromReplica) => void, onDeath: (reason: string) => void): void
  end(): void
}
