import { z } from 'zod'
import type { Row } from '../../worker/api.ts'
import { PinnedPort } from '../../workflow/pin.ts'

/** What a run did with one node. `rowsOut` and `ms` are null until they are known. */
export type NodeRun = {
  readonly nodeId: string
  readonly status: string
  readonly rowsOut: number | null
  readonly ms: number | null
  /** Of large files, while it runs. */
  readonly readBytes?: number | undefined
  /** Rows that an expression failed for; null where none was tried row by row. */
  readonly rejected: number | null
}
export type Run = {
  readonly id: string
  readonly version: number
  readonly status: string
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly createdAt: string
  /** Why it failed, and at which node. */
  readonly error: { readonly message: string; readonly nodeId: string | null } | null
}
export type RunLog = {
  readonly id: string
  readonly level: string
  readonly message: string
  readonly at: string
  readonly nodeId: string | null
}
export type RunArtifact = {
  readonly id: string
  readonly nodeId: string | null
  readonly kind: string
  /** Did the run read it (`source`) or write it (`result`)? */
  readonly role: string | null
  /** Of its node, where its rows left or went in. */
  readonly port: string | null
  readonly format: string | null
  readonly rows: number | null
  readonly fileName: string | null
  readonly columnNames: readonly string[]
  /** Its rows as a pin says them; null where they cannot be pinned. */
  readonly pinned: PinnedPort | null
}

/** Rows keep a node as `<workflow version>/<key>`; the canvas knows it by its key. */
const NodeKey = z.string().transform((id) => id.slice(id.lastIndexOf('/') + 1))
const count = z
  .number()
  .nullish()
  .transform((value) => value ?? null)
const json = <S extends z.ZodType>(schema: S) =>
  z
    .string()
    .nullish()
    .transform((text): unknown => (text === null || text === undefined ? {} : JSON.parse(text)))
    .pipe(schema)

const RunRow = z
  .object({
    id: z.string(),
    version: z.number(),
    status: z.string(),
    started_at: z.string().nullable(),
    finished_at: z.string().nullable(),
    created_at: z.string(),
    error_json: json(z.object({ message: z.string().optional(), nodeId: NodeKey.nullish() }))
  })
  .transform((row): Run => ({
    id: row.id,
    version: row.version,
    status: row.status,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    createdAt: row.created_at,
    error:
      row.error_json.message === undefined
        ? null
        : { message: row.error_json.message, nodeId: row.error_json.nodeId ?? null }
  }))

const StepRow = z
  .object({
    node_id: NodeKey,
    status: z.string(),
    stats_json: json(z.object({ rowsOut: count, ms: count, rejected: count }))
  })
  .transform((row): NodeRun => ({
    nodeId: row.node_id,
    status: row.status,
    rowsOut: row.stats_json.rowsOut,
    ms: row.stats_json.ms,
    rejected: row.stats_json.rejected
  }))

const LogRow = z
  .object({
    id: z.string(),
    level: z.string(),
    message: z.string(),
    ts: z.string(),
    node_id: NodeKey.nullable()
  })
  .transform((row): RunLog => ({
    id: row.id,
    level: row.level,
    message: row.message,
    at: row.ts,
    nodeId: row.node_id
  }))

const NamedColumns = z.array(z.object({ name: z.string() }))

const ArtifactRow = z
  .object({
    id: z.string(),
    node_id: NodeKey.nullable(),
    kind: z.string(),
    format: z.string().nullable(),
    rows: z.number().nullable(),
    uri: z.string().nullish(),
    sha256: z.string().nullish(),
    schema_json: json(z.object({ columns: z.unknown().optional() })),
    stats_json: json(
      z.object({
        fileName: z.string().nullish(),
        role: z.string().nullish(),
        port: z.string().nullish(),
        bytes: z.unknown().optional(),
        layout: z.unknown().optional()
      })
    )
  })
  .transform((row): RunArtifact => ({
    id: row.id,
    nodeId: row.node_id,
    kind: row.kind,
    role: row.stats_json.role ?? null,
    port: row.stats_json.port ?? null,
    format: row.format,
    rows: row.rows,
    fileName: row.stats_json.fileName ?? null,
    columnNames: (NamedColumns.safeParse(row.schema_json.columns).data ?? []).map(({ name }) => name),
    pinned:
      PinnedPort.safeParse({
        artifactId: row.id,
        blobKey: row.uri,
        sha256: row.sha256,
        rows: row.rows,
        bytes: row.stats_json.bytes,
        layout: row.stats_json.layout,
        columns: row.schema_json.columns
      }).data ?? null
  }))

export const readRun = (row: Row): Run => RunRow.parse(row)
export const readStep = (row: Row): NodeRun => StepRow.parse(row)
export const readLog = (row: Row): RunLog => LogRow.parse(row)
export const readArtifact = (row: Row): RunArtifact => ArtifactRow.parse(row)
