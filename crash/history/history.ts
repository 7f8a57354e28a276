/**
 * What clients asked of the log, what they were answered, and when: all that a checker needs to say whether the log
 * kept its word. Times are of one clock for all clients, in any unit that only grows.
 */

/** An event as a client meant it. Its id is the client's own, or unknown until it is answered. */
export type Intended = {
  readonly id: string
  readonly aggregateId: string
  /** The event's content in a form that is equal if and only if the content is. */
  readonly content: string
  readonly expectedSeq?: number
}

/** An event as it was answered, loaded, heard, or found in the log. */
export type Stored = {
  readonly id: string
  readonly aggregateId: string
  readonly content: string
  readonly seq: number
  readonly position: number
}

export type Failure = { readonly code: string; readonly actualSeq?: number }

/**
 * How a call ended. `refused`: it certainly did nothing. `unknown`: no answer came, or a failure
 * that leaves it open (a write failed half-way); all of it may have landed, or nothing.
 */
export type Outcome<Answer> =
  | { readonly kind: 'answered'; readonly at: number; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly at: number; readonly failure: Failure }
  | { readonly kind: 'unknown'; readonly failure?: Failure }

type Call = {
  readonly client: string
  /** The number of the call among its client's, in the order in which the client made them. */
  readonly index: number
  readonly invokedAt: number
}

/** One call of `append` or `appendMany`: all of its events or none. */
export type Append = Call & {
  readonly kind: 'append'
  /** The life of the program that it was made in: what one life leaves unanswered, the next may go on without. */
  readonly life: string
  readonly events: readonly Intended[]
  readonly outcome: Outcome<readonly Stored[]>
}

/** One call of `load`. */
export type Load = Call & {
  readonly kind: 'load'
  readonly aggregateId: string
  readonly outcome: Outcome<readonly Stored[]>
}

/** What one subscription handed on, in the order in which it came. */
export type Heard = {
  readonly subscriber: string
  readonly afterPosition: number
  readonly events: readonly Stored[]
  /** Whether it was waited for until it had caught up: then nothing may be missing at the end. */
  readonly isComplete: boolean
}

export type History = {
  readonly appends: readonly Append[]
  readonly loads: readonly Load[]
  readonly heard: readonly Heard[]
  /** The whole log at the end, in the order in which it was read. */
  readonly log: readonly Stored[]
}

/** A word that the log did not keep. */
export type Problem = {
  readonly kind:
    | 'lost'
    | 'doubled'
    | 'altered'
    | 'half'
    | 'foreign'
    | 'refused-but-stored'
    | 'reordered'
    | 'skipped'
    | 'gap'
    | 'expected-seq'
    | 'unjustified-conflict'
    | 'stale-read'
    | 'phantom-read'
    | 'subscription'
  readonly message: string
}
