import type { PlannedRequests } from '../../workflow/plan-types.ts'
import type { TemplateRow } from '../../workflow/http/template.ts'

/** One request to be made: its key in the node, and the row's values for the templates. */
export type AskedRow = { readonly key: string; readonly values: TemplateRow }

/** One row of an answer; a request has at least one. `values` are the answer's columns as text. */
export type AnswerRow = {
  readonly key: string
  readonly index: number
  readonly status: number | null
  /** Why there is no answer that can be used; null where there is. */
  readonly error: string | null
  readonly values: readonly (string | null)[]
}

/**
 * Asks a service for rows, batch by batch, and answers each batch before it takes the next. The engine knows no more of
 * services than this; whoever gives it decides what is sent, recorded and tried again.
 * @throws FlowForgeError where the run cannot go on
 */
export type AskService = (args: {
  readonly nodeId: string
  readonly requests: PlannedRequests
  readonly rows: AsyncIterable<readonly AskedRow[]>
  readonly signal: AbortSignal
  /** Aborts when the run has failed elsewhere: nothing more is sent then, and what must not be in doubt is waited for. */
  readonly ending?: AbortSignal | undefined
  /** How many requests of this node have been answered so far. */
  readonly onAnswered: (count: number) => void
}) => AsyncIterable<readonly AnswerRow[]>
