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
  /** How the log differs from its hash chain. */
  readonly chain: readonly ChainFinding[]
}
