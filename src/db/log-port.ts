/** How the log differs from what its hash chain says. Positions are those of events. */
export type ChainDifference =
  | { readonly kind: 'changed-event'; readonly position: number; readonly eventId: string }
  | { readonly kind: 'inserted-event'; readonly position: number; readonly eventId: string }
  /** An event is gone from between two positions; `before` is null where it was the last of its seal. */
  | { readonly kind: 'missing-event'; readonly after: number; readonly before: number | null }
  /** The seal itself is not the one that was written. */
  | { readonly kind: 'changed-seal' }
  /** The seal does not follow the one before it: that one was exchanged or taken out. */
  | { readonly kind: 'broken-link' }
  /** Its events cannot be read. */
  | { readonly kind: 'unreadable'; readonly message: string }

/** @property sealedUpTo the seal that differs, by the position of its last event */
export type ChainFinding = ChainDifference & { readonly sealedUpTo: number }

export type ChainReport = {
  readonly isIntact: boolean
  /** In the order of the log, the first twenty. */
  readonly findings: readonly ChainFinding[]
  readonly seals: number
  readonly sealedEvents: number
  /** The log's newest events, which no seal holds yet: nothing is known of them. */
  readonly unsealedEvents: number
  /** Of the last seal; null where there is none. */
  readonly headSha256: string | null
}

export type ChainState = Pick<ChainReport, 'seals' | 'sealedEvents' | 'unsealedEvents' | 'headSha256'> & {
  /** ISO-8601 UTC of the last seal. */
  readonly sealedAt: string | null
  /** A salvage made the seals behind this position anew: for those events the chain vouches since then alone. */
  readonly sealedAnew: { readonly after: number; readonly at: string } | null
}

export type ChainProgress = { readonly checkedEvents: number; readonly ofEvents: number }

/** + The log's hash chain: seals that each hold the hashes of some events and of the seal before. */
export interface LogPort {
  chain(): Promise<ChainState>
  /** Seals every event that is committed when it is called; in the background the log seals itself. */
  seal(): Promise<ChainState>
  /** Hashes the whole log anew and compares. Others' calls are answered in between. */
  verify(onProgress?: (progress: ChainProgress) => void): Promise<ChainReport>
}
