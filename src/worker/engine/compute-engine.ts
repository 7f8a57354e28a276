import type { BlobStorePort, ReadSqliteFile } from '../../db/ports.ts'
import type { Binder } from '../../workflow/binder.ts'
import type { TextEncoding } from '../../workflow/data-source/csv-reading.ts'
import type { Reading } from '../../workflow/explain/explain-cell.ts'
import type { Parameters, ParameterValues } from '../../workflow/graph.ts'
import type { SinkFormat } from '../../workflow/nodes/sink.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import type { TableProfile } from '../../workflow/profile/table-profile.ts'
import type { RowIdPlan } from '../../workflow/row-ids/plan-row-ids.ts'
import type { Column } from '../../workflow/value-type.ts'
import type { Page } from '../api.ts'
import type { AskService } from './ask-service.ts'
import type { Limits, Spent } from './run-limits.ts'

/** As `data_sources.kind` names them; `file` is Arrow, `db` SQLite or DuckDB, `manual` rows typed by hand. */
export type SourceKind = 'csv' | 'json' | 'excel' | 'parquet' | 'file' | 'db' | 'manual'

/** How a CSV file is cut into cells, found by sniffing or told by a source node's options; enough to read it again the same way. */
export type CsvDialect = {
  readonly delimiter: string
  readonly quote: string
  readonly escape: string
  readonly header: boolean
  /** Lines before the header. */
  readonly skip: number
  /** Are quoted empty cells NULL (true), or empty text (false)? */
  readonly quotedNulls: boolean
}

/**
 * A data source made ready to be scanned, as its import left it; kept in the data source's `config_json`.
 * A CSV in UTF-8 is scanned in place; everything else was turned once into Arrow IPC under a key of its own.
 */
export type PreparedSource = {
  readonly reader:
    | {
        readonly type: 'csv'
        readonly dialect: CsvDialect
        /** What the file is in, where it is not UTF-8; what is scanned always is. */
        readonly encoding?: TextEncoding | undefined
        /** Room for the longest line, where the file is scanned in place. */
        readonly lineBytes?: number | undefined
      }
    | { readonly type: 'arrow' }
  /** Key in the blob store of the bytes that are scanned. */
  readonly blobKey: string
  readonly columns: readonly Column[]
  readonly rows: number
  /** For the person: "read as Windows-1252", "2 of 3 sheets were not read". */
  readonly notes: readonly string[]
}

/** Where the pieces of an artifact's Arrow IPC file begin; each piece is a complete stream. Kept in `artifacts.stats_json`. */
export type ArrowLayout = {
  readonly pieces: readonly { readonly offset: number; readonly bytes: number; readonly rows: number }[]
}

export type StepStats = {
  readonly rowsIn: number | null
  readonly rowsOut: number | null
  readonly bytes: number | null
  readonly ms: number
  /** How large the engine's memory had grown by the end of the step. */
  readonly memoryBytes?: number
  /** Rows that left by `rejected` because an expression failed for them, where the plan tries each. */
  readonly rejected?: number
}

/** Rows that an earlier run wrote, taken instead of computing them. */
export type StoredRelation = {
  readonly blobKey: string
  readonly layout: ArrowLayout
  readonly rows: number
}

/** Which rows in the middle of a plan are written down, too; see `RunOptions`. */
export type Checkpoints = 'slow' | 'all' | 'none'

/** Which rows of the sources a table's rows came from: `marks` says which numbers a row has, in order. */
export type WrittenRowIds = {
  readonly blobKey: string
  readonly sha256: string
  readonly bytes: number
  readonly marks: readonly string[]
}

export type WrittenArtifact = {
  readonly nodeId: string
  /** The planned relation whose rows it holds. */
  readonly relation: string
  /** Rows in the middle of the plan; otherwise a result. */
  readonly isCheckpoint?: boolean
  readonly kind: 'table' | 'file'
  readonly blobKey: string
  readonly sha256: string
  readonly format: 'arrow' | 'csv' | 'json' | 'xlsx' | 'parquet'
  readonly columns: readonly Column[]
  readonly rows: number
  readonly bytes: number
  /** For a table. */
  readonly layout: ArrowLayout | null
  /** For a file. */
  readonly fileName: string | null
  /** Of a table, where it is kept: which rows of the sources its rows came from. */
  readonly rowIds?: WrittenRowIds
}

/** What is told while a plan is carried out, in order. The caller stores it; awaiting its answer keeps the order. */
export type ExecutionListener = {
  stepStarted(nodeId: string): Promise<void>
  /** Rows written so far by a sink, at most ten times a second. */
  stepProgressed(nodeId: string, rows: number): void
  /** Bytes of files that the engine has read for the step, a few times a second while it reads: a query that has no rows yet moves, too. */
  stepRead(nodeId: string, bytes: number): void
  stepSucceeded(nodeId: string, stats: StepStats): Promise<void>
  artifactWritten(artifact: WrittenArtifact): Promise<void>
  log(entry: {
    nodeId: string | null
    level: 'debug' | 'info' | 'warn' | 'error'
    message: string
    meta?: Record<string, unknown>
  }): Promise<void>
}

/** A run's end. The engine never leaves a run undecided: an unexpected failure is `failed`, too. */
export type ExecutionOutcome =
  | { readonly status: 'succeeded' }
  | { readonly status: 'canceled' }
  | {
      readonly status: 'failed'
      readonly nodeId: string | null
      readonly message: string
      readonly details?: Record<string, unknown>
      /** The rows that it failed for may leave by the node's `rejected` instead: it is not logged as an error yet. */
      readonly mayReject?: true
    }

/** A row of a table artifact, made readable under a name. */
export type StoredRow = {
  readonly table: string
  readonly blobKey: string
  readonly layout: ArrowLayout
  /** From 0. */
  readonly at: number
}

/** Sources by data source id and options: the key is `sourceKey(dataSourceId, options)`. */
export type PreparedSources = ReadonlyMap<string, PreparedSource>
const sorted = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(
        Object.entries(value)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, member]): [string, unknown] => [key, sorted(member)])
      )
    : value
export const sourceKey = (dataSourceId: string, options: Readonly<Record<string, unknown>>): string =>
  `${dataSourceId} ${JSON.stringify(sorted(options))}`

/** The compute engine: DuckDB-WASM in a worker of its own, started on first use. It computes, and keeps nothing. */
export interface ComputeEngine {
  /**
   * Reads a stored file through once: finds its dialect, encoding and types, counts its rows.
   * @throws FlowForgeError `INVALID_INPUT` with `details.line` and `details.reason` where the file is broken, `CANCELED`
   */
  prepare(args: {
    blobKey: string
    fileName: string
    kind: SourceKind
    /** A source node's `options`: delimiter, quote, escape, encoding, header, sheet, types. */
    options?: Readonly<Record<string, unknown>>
    signal?: AbortSignal
  }): Promise<PreparedSource>
  binder(parameters: Parameters): Promise<Binder>
  /** A slice of a source's rows. */
  page(args: { source: PreparedSource; offset: number; limit: number }): Promise<Page>
  /** How many values each column of a source lacks, in the columns' order. */
  nullCounts(args: { source: PreparedSource }): Promise<readonly number[]>
  /** What stands in a source's columns. */
  profileSource(args: { source: PreparedSource }): Promise<TableProfile>
  /** The same of a table artifact; of a very large one, of its first rows. */
  profileArtifact(args: {
    blobKey: string
    layout: ArrowLayout
    columns: readonly Column[]
  }): Promise<TableProfile>
  /** First rows of a planned relation, and the count of all. */
  preview(args: {
    plan: Plan
    relation: string
    limit: number
    sources: PreparedSources
    /** Rows of relations with neither SQL nor a source. */
    known?: ReadonlyMap<string, StoredRelation>
    signal?: AbortSignal
    /** Who answers for services; without it, a relation that needs answers fails. */
    ask?: AskService | undefined
  }): Promise<Page>
  /** Relations with neither SQL nor a source are filled from `known`. */
  execute(args: {
    plan: Plan
    sources: PreparedSources
    signal: AbortSignal
    listener: ExecutionListener
    known?: ReadonlyMap<string, StoredRelation>
    /** Default `none`. */
    checkpoints?: Checkpoints
    ask?: AskService | undefined
    limits?: Limits
    /** What of the limits is used up already. */
    spent?: Spent | undefined
    /** Bytes that the engine may take. Left out, what held last goes on holding. */
    memoryBudget?: number
    /** Keep which rows each row came from, beside the tables that are written. */
    rowIds?: RowIdPlan | undefined
    /** Could rows for which this node's expressions fail be rejected by another plan? */
    mayReject?: (nodeId: string) => boolean
  }): Promise<ExecutionOutcome>
  readArtifact(args: {
    blobKey: string
    layout: ArrowLayout
    columns: readonly Column[]
    offset: number
    limit: number
  }): Promise<Page>
  /**
   * Lends a session for questions about a plan's rows: its sources stand there under their relations' ids (`provided`),
   * each row with its number from 0 in `rowColumn`. `variables` are bound beside the parameters.
   */
  explore<T>(
    args: {
      plan: Plan
      sources: PreparedSources
      rowColumn: string
      variables?: ParameterValues
      row?: StoredRow
      /** Who answers for services that the plan asks; their requests and answers stand there as tables, too. */
      answers?: AskService | undefined
      signal?: AbortSignal
    },
    ask: (reading: Reading, provided: ReadonlySet<string>) => Promise<T>
  ): Promise<T>
  /** An artifact's rows as a file; throws `INVALID_INPUT` where the format cannot hold them. */
  saveArtifact(args: {
    blobKey: string
    layout: ArrowLayout
    columns: readonly Column[]
    format: SinkFormat
  }): Promise<Blob>
  close(): Promise<void>
}

export type OpenComputeEngine = (args: {
  blobStore: BlobStorePort
  readSqliteFile: ReadSqliteFile
}) => ComputeEngine
