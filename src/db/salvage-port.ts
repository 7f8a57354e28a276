import type { BackupSummary, KeptCopy } from './backup-port.ts'
import type { ChainFinding } from './log-port.ts'

/** Rows that could not be read, between two that could, by SQLite's rowid (of events: their position). */
export type LostRange = { readonly after: number; readonly before: number | null }

export type SalvagedTable = {
  readonly name: string
  /** Read, and taken over. */
  readonly rows: number
  /** Read, and not what they were: no JSON, another hash, the key of another row. */
  readonly refused: number
  readonly lost: readonly LostRange[]
}

/** How far a salvage has come. */
export type SalvageProgress = {
  /** The one that is being read. */
  readonly table: string
  readonly tablesDone: number
  readonly tables: number
  /** Read of all tables up to here. */
  readonly rows: number
}

/** A file of the storage that can be handed out as it is. */
export type RescueCopy = {
  /** Its name in storage, by which it is asked for. */
  readonly file: string
  /**
   * `current` is the one that does not open; the write-ahead log belongs to it. The others were kept. `unlisted` where the
   * record is damaged that says which is which.
   */
  readonly kind: 'current' | 'write-ahead-log' | 'unlisted' | KeptCopy['kind']
  readonly bytes: number
  /** When it was kept, ISO-8601 UTC; null for what is in use. */
  readonly createdAt: string | null
}

/** What can be done with a storage that does not open. The file that is in its place now is kept, whatever is done. */
export type Rescue = {
  readonly copies: () => readonly RescueCopy[]
  /** The bytes of one of the copies as they are, streamed. @throws FlowForgeError `NOT_FOUND`, `STORAGE_FULL` */
  readonly save: (file: string) => Promise<File>
  /**
   * Puts what is readable in its place.
   * @throws FlowForgeError `CORRUPT` where nothing is; `NOT_ALLOWED` where the database is whole, and of a newer schema
   */
  readonly salvage: (onProgress?: (progress: SalvageProgress) => void) => Promise<SalvageReport>
  /** Verifies a backup and puts it in its place. @throws FlowForgeError as `BackupPort.stage` */
  readonly restore: (file: Blob) => Promise<BackupSummary>
  /**
   * Where the record is damaged of which file is the current one: finds the newest that opens, and writes the record anew.
   * @throws FlowForgeError `NOT_ALLOWED` where the record can be read; `NOT_FOUND` where there is no database
   */
  readonly findDatabase: () => Promise<FoundDatabase>
  readonly close: () => void
}

/** Which database file was taken for the current one. */
export type FoundDatabase = {
  readonly file: string
  /** Where none opens, it is the one to be salvaged. */
  readonly opens: boolean
  readonly logPosition: number
  /** ISO-8601 UTC; null where it does not say. */
  readonly lastWrittenAt: string | null
  /** The other files, which stay. */
  readonly kept: readonly string[]
}

/** What was readable of a damaged database, for the person. */
export type SalvageReport = {
  readonly kind: 'salvage'
  /** ISO-8601 UTC. */
  readonly at: string
  /** The damaged file, which is kept. */
  readonly file: string
  /** Its first bytes were unreadable, and were written anew in a copy. */
  readonly isHeaderRebuilt: boolean
  readonly tables: readonly SalvagedTable[]
  /** Streams that lack events in the middle, the first hundred. */
  readonly holes: readonly {
    readonly aggregateId: string
    readonly events: number
    readonly lastSeq: number
  }[]
  /** How the log differs from its hash chain as it was. */
  readonly chain: readonly ChainFinding[]
  /**
   * The seals that were made anew where it differs: for events behind this position the chain vouches since `at` alone.
   * Null where it did not differ, or events that are archived could not be read; absent in older reports.
   */
  readonly sealedAnew?: { readonly after: number; readonly events: number } | null
}
