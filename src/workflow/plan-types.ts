import type { ParameterValues } from './graph.ts'
import type { RequestPlan } from './http/request.ts'
import type { SinkFormat } from './nodes/sink.ts'
import type { PinnedPort } from './pin.ts'
import type { Column, ValueType } from './value-type.ts'

/** A data source as the planner needs it: its name in the catalog and the rows' columns. */
export type SourceShape = {
  readonly dataSourceId: string
  readonly name: string
  readonly columns: readonly Column[]
  /** Known from the import; null where it is not. */
  readonly rows: number | null
  /** The file has no types of its own: those of its columns are a guess. */
  readonly untyped?: boolean
}

/** A JSON Schema as the catalog has it. */
export type SchemaShape = { readonly version: number; readonly schema: unknown }

/** What is there and cannot be read with a node's options; said for a person. `isEmpty`: nothing has been written to it yet. */
export type UnreadableSource = { readonly unreadable: string; readonly isEmpty?: true }

/** What stands under a name that a sink would write: a dataset's columns, or a data source, which keeps its name. */
export type DatasetShape = { readonly columns: readonly Column[]; readonly isDataSource?: true }

/** Requests to a service: rows of `from` in, answers out. The engine gives the one and keeps the other; it sends nothing itself. */
export type PlannedRequests = {
  /** The relation with one row a request: `_key`, then `_0`, `_1`, … the values below as text. */
  readonly from: string
  readonly values: readonly { readonly name: string; readonly type: ValueType }[]
  readonly plan: RequestPlan
}

/** What comes out of one port of one node: a SELECT over the relations it depends on. */
export type PlannedRelation = {
  /** `<nodeId>.<port>`; also the name, quoted, under which other relations' SQL refers to it. */
  readonly id: string
  readonly nodeId: string
  readonly port: string
  /** For a source's `out` and a service's answers: null, the engine provides the rows; else one SELECT in the engine's dialect. */
  readonly sql: string | null
  readonly source: {
    readonly dataSourceId: string
    readonly options: Readonly<Record<string, unknown>>
  } | null
  readonly columns: readonly Column[]
  readonly dependsOn: readonly string[]
  /** Rows that SQL cannot make: they are asked of a service. `sql` is null then. */
  readonly external?: PlannedRequests
  /** Rows that are taken instead of being computed. `sql` and `source` are null then. */
  readonly pinned?: PinnedPort & { readonly runId: string }
}

export type PlannedStep = {
  readonly nodeId: string
  readonly kind: string
  /** Ids of the relations that reach this node, in order. */
  readonly inputs: readonly string[]
  /** Ids of the relations that leave it; a sink's is the one that it writes. */
  readonly outputs: readonly string[]
  /** Its expressions are tried row by row: which rows of `rejected` are there because one failed. */
  readonly failed?: string
}

export type PlannedSink = {
  readonly nodeId: string
  readonly relation: string
  readonly format: SinkFormat
  readonly fileName: string
  /** Of CSV: texts that a spreadsheet would run are written as they are. */
  readonly keepsFormulas: boolean
}

/** A graph made ready to run: steps and relations in an order in which each comes after what it needs. */
export type Plan = {
  readonly steps: readonly PlannedStep[]
  readonly relations: readonly PlannedRelation[]
  /** Those that write a file. A dataset's relation is `shared` and read by nobody: it becomes a table, a result. */
  readonly sinks: readonly PlannedSink[]
  /**
   * Relations worth a table of their own, in order: read by more than one consumer, or part of asking a service, which
   * is done whoever reads the answers. Everything else stays part of
   * one query.
   */
  readonly shared: readonly string[]
  /**
   * Of `shared`, those whose rows are to be a result, whoever else reads them: what leaves the node that was run to, and
   * what datasets are made of.
   */
  readonly wanted: readonly string[]
  /** Every parameter that an expression names, with its value: bound, never pasted. */
  readonly parameters: ParameterValues
}
