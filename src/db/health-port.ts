/** How the storage was left the last time: `first` where there was none. `at` is ISO-8601 UTC. */
export type LastEnd =
  { readonly kind: 'first' } | { readonly kind: 'clean' | 'unclean' | 'damaged'; readonly at: string }

export type CheckFinding = { readonly table: string; readonly message: string }

/** What a check of the database's file found. */
export type CheckReport = {
  readonly kind: 'check'
  readonly isSound: boolean
  /** Why it was made. */
  readonly trigger: 'unclean-end' | 'asked' | 'restored'
  readonly tables: number
  readonly findings: readonly CheckFinding[]
  /** How long it took, in ms, with others' turns in between. */
  readonly ms: number
}

export type HealthState = {
  readonly lastEnd: LastEnd
  /** A check is under way; the table that it has come to. */
  readonly checking: string | null
  /** The last check of this session. */
  readonly latest: CheckReport | null
}

/** + The state that the database's file is in, and how it was left. */
export interface HealthPort {
  state(): Promise<HealthState>
  /**
   * Checks the file, a table a turn. Done by itself after an end that was not clean, and, with the log's hash chain, at
   * the first opening after a restore.
   */
  check(): Promise<CheckReport>
}
