import { createSHA256 } from 'hash-wasm'
import { z } from 'zod'
import type { BlobStorePort, DbContext } from '../../db/ports.ts'
import { createBreath } from '../engine/breath.ts'
import { throwIfCanceled } from '../engine/engine-errors.ts'
import { RowIds } from '../../workflow/run/events.ts'
import { ValueType } from '../../workflow/value-type.ts'

const Piece = z.object({ offset: z.number(), bytes: z.number(), rows: z.number() })
const ArtifactRow = z
  .object({
    id: z.string(),
    run_id: z.string(),
    node_id: z.string().nullable(),
    kind: z.string(),
    uri: z.string(),
    format: z.enum(['parquet', 'arrow', 'csv', 'xlsx', 'json', 'duckdb', 'sqlite']).nullable(),
    rows: z.number().nullable(),
    sha256: z.string(),
    columns: z.string().nullable(),
    stats_json: z.string()
  })
  .transform(({ columns, stats_json, node_id, ...row }) => ({
    ...row,
    nodeId: node_id === null ? null : node_id.slice(node_id.lastIndexOf('/') + 1),
    columns: z
      .array(z.object({ name: z.string(), type: ValueType, engineType: z.string() }))
      .nullable()
      .parse(columns === null ? null : JSON.parse(columns)),
    ...z
      .object({
        role: z.string(),
        bytes: z.number(),
        key: z.string().optional(),
        port: z.string().optional(),
        reusedFrom: z.string().optional(),
        layout: z.object({ pieces: z.array(Piece) }).optional(),
        fileName: z.string().optional(),
        rowIds: RowIds.optional()
      })
      .parse(JSON.parse(stats_json))
  }))

/** An artifact as a later run may take it. */
export type StoredArtifact = z.infer<typeof ArtifactRow>

const SELECT = `SELECT a.id, a.run_id, a.node_id, a.kind, a.uri, a.format, a.rows, a.sha256,
  a.schema_json ->> '$.columns' AS columns, a.stats_json FROM artifacts a`

/** Rows that somebody wrote into `artifacts` without an event need not have this form, and are not taken. */
const toArtifacts = (rows: readonly unknown[]): readonly StoredArtifact[] =>
  rows.flatMap((row) => ArtifactRow.safeParse(row).data ?? [])

/**
 * The newest artifact of each key; of one run alone where it is named. One with row ids comes before any without where
 * these are wanted.
 */
export const artifactsByKey = async (
  { projectionStore }: Pick<DbContext, 'projectionStore'>,
  keys: readonly string[],
  {
    onlyRunId,
    prefersRowIds = false
  }: { readonly onlyRunId: string | null; readonly prefersRowIds?: boolean }
): Promise<ReadonlyMap<string, StoredArtifact>> => {
  const rows = await projectionStore.query({
    sql: `${SELECT} WHERE a.stats_json ->> '$.key' IN (SELECT value FROM json_each(?1))
          AND (?2 IS NULL OR a.run_id = ?2)
          ORDER BY a.created_at, a.rowid`,
    params: [JSON.stringify(keys), onlyRunId]
  })
  const found = toArtifacts(rows)
  const hasRowIds = ({ rowIds }: StoredArtifact): boolean => rowIds !== undefined
  // Of one key the last stays.
  const inOrder = prefersRowIds
    ? [...found.filter((artifact) => !hasRowIds(artifact)), ...found.filter(hasRowIds)]
    : found
  return new Map(inOrder.map((artifact) => [artifact.key ?? '', artifact]))
}

export const artifactById = async (
  { projectionStore }: Pick<DbContext, 'projectionStore'>,
  id: string
): Promise<StoredArtifact | undefined> =>
  toArtifacts(await projectionStore.query({ sql: `${SELECT} WHERE a.id = ?`, params: [id] }))[0]

/** What a run read and wrote, in order. */
export const artifactsOfRun = async (
  { projectionStore }: Pick<DbContext, 'projectionStore'>,
  runId: string
): Promise<readonly StoredArtifact[]> =>
  toArtifacts(
    await projectionStore.query({
      sql: `${SELECT} WHERE a.run_id = ? ORDER BY a.created_at, a.rowid`,
      params: [runId]
    })
  )

const sha256Of = async (blob: Blob, signal: AbortSignal | undefined): Promise<string> => {
  const hasher = await createSHA256()
  const reader = blob.stream().getReader()
  const breathe = createBreath()
  for (;;) {
    // What is read may be there already, and then nobody else would be heard, who cancels among them.
    // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
    await breathe()
    // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
    const { done, value } = await reader.read()
    if (done) return hasher.digest('hex')
    if (signal?.aborted === true) await reader.cancel()
    throwIfCanceled(signal)
    hasher.update(value)
  }
}

/**
 * Are an artifact's bytes there, every one as it was written?
 * @throws FlowForgeError `CANCELED`
 */
export const isWhole = async (
  blobStore: BlobStorePort,
  { uri, bytes, sha256 }: Pick<StoredArtifact, 'uri' | 'bytes' | 'sha256'>,
  signal?: AbortSignal
): Promise<boolean> => {
  const blob = await blobStore.open({ key: uri })
  return blob !== null && blob.size === bytes && (await sha256Of(blob, signal)) === sha256
}
