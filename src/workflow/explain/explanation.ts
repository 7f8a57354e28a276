import type { NodeKind } from '../graph.ts'
import type { Step } from '../nodes/transform-spec.ts'
import type { Column } from '../value-type.ts'

type Row = Readonly<Record<string, unknown>>

/** A text of a workflow that decided something: of a column, a condition, a group. */
export type ExplainedText = {
  readonly role: 'value' | 'condition' | 'keys' | 'query'
  /** The column that it gives, where it gives one. */
  readonly column: string | null
  readonly text: string
}

/** A rule, and how many of the rows asked about it decided. */
export type ExplainedRule = { readonly name: string; readonly rows: number; readonly reject: string | null }

/**
 * An expression that failed for rows, which left by `rejected` for it: in the engine's words, of the first of them.
 */
export type ExplainedFailure = {
  /** The column that it gives; null for a condition. */
  readonly column: string | null
  readonly text: string
  readonly message: string
  readonly rows: number
}

/** An attempt of a request as it is on record: what left, masked, and what came back. */
export type RecordedResponse = {
  readonly requestId: string
  readonly method: string
  readonly url: string
  readonly status: number | null
  readonly at: string
  readonly ms: number | null
}

/** A service's answer that rows at a step come from, or were rejected for. */
export type ExplainedResponse = {
  /** Null where none left: a person took the request as done, or its template could not be filled. */
  readonly request: RecordedResponse | null
  readonly status: number | null
  /** Why it could not be used; null where it was. */
  readonly reason: string | null
  /** Of the step's rows. */
  readonly rows: number
  /** Where in the answer the columns that are told about stand. */
  readonly pointers: readonly { readonly column: string; readonly pointer: string }[]
}

/** Where a step stands: a node of the workflow, a step of it where it is a transform, or an edge's condition before it. */
export type ExplainedPlace = {
  readonly nodeId: string
  readonly name: string
  readonly kind: NodeKind
  readonly port: string
  readonly op: Step['op'] | 'edge' | null
  /** The transform's step, from 0. */
  readonly step: number | null
}

/** The part of one step in a value: what it did, and the rows that left it on the way to the value. */
export type ExplainedStep = ExplainedPlace & {
  readonly texts: readonly ExplainedText[]
  readonly rules: readonly ExplainedRule[]
  /** Answers that the rows' values come from, of a step that asked a service; the first hundred. */
  readonly responses: readonly ExplainedResponse[]
  /** Columns whose values are in the value that was asked about, or chose it. */
  readonly columns: readonly Pick<Column, 'name' | 'type'>[]
  /** Of all rows; `rows` are the first hundred, with these columns. */
  readonly total: number
  readonly rows: readonly Row[]
  /** Of a source: the numbers of these rows in it, from 1. */
  readonly rowNumbers: readonly number[] | null
  /** Is it unknown which of the rows that reached the step went into the value, as behind a query? */
  readonly isUnknown: boolean
}

/** From a value back to the rows of the sources that it comes from; the first step is the value's own. */
export type CellExplanation = { readonly steps: readonly ExplainedStep[] }

/** What became of the rows that were looked for, at one step. */
export type FollowedStep = ExplainedPlace & {
  readonly rowsIn: number
  readonly rowsOut: number
  readonly texts: readonly ExplainedText[]
  /** Rules that rejected some of the rows. */
  readonly rules: readonly ExplainedRule[]
  /** Expressions that failed for some of the rows. */
  readonly failures: readonly ExplainedFailure[]
  /** Answers for which some of the rows were rejected. */
  readonly responses: readonly ExplainedResponse[]
  /** Other ports by which they left. */
  readonly elsewhere: readonly { readonly port: string; readonly rows: number }[]
  /** Columns that the step looks at, and the first of the rows that did not go on. */
  readonly columns: readonly Pick<Column, 'name' | 'type'>[]
  readonly lost: readonly Row[]
}

/**
 * Why a row is not there. `there`: it is (`rows` of them). `never`: no source has it. `lost`: `steps` end with the one
 * that took the last of them. `unknown`: behind a query nobody can tell which rows are which.
 */
export type MissingExplanation = {
  readonly outcome: 'there' | 'never' | 'lost' | 'unknown'
  readonly rows: number
  /** Rows with the key in each source that has its columns. */
  readonly sources: readonly { readonly nodeId: string; readonly name: string; readonly rows: number }[]
  readonly steps: readonly FollowedStep[]
}
