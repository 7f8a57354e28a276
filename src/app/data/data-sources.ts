import { z } from 'zod'
import type { Row } from '../../worker/api.ts'
import { DatasetStats } from '../../workflow/catalog/dataset.ts'
import { WebRequest } from '../../workflow/data-source/web-request.ts'
import { ValueType } from '../../workflow/value-type.ts'

const Column = z.object({ name: z.string(), type: ValueType, engineType: z.string() })
export type SourceColumn = z.infer<typeof Column>

/** Where a source was fetched from, without secrets. */
const WebFacts = z.object({ request: WebRequest, pages: z.number(), fetchedAt: z.string() })
export type WebFacts = z.infer<typeof WebFacts>

/** What an import keeps of a file; see `data_sources.config_json`. */
const FileFacts = z.object({
  fileName: z.string(),
  mediaType: z.string(),
  size: z.number(),
  sha256: z.string(),
  /** What was told of the file when it was added. */
  options: z.record(z.string(), z.unknown()).optional(),
  /** Of a dataset. */
  version: z.number().optional(),
  prepared: z.object({ columns: z.array(Column), rows: z.number(), notes: z.array(z.string()) }),
  web: WebFacts.optional()
})
export type FileFacts = z.infer<typeof FileFacts>

const SourceRow = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  config_json: z.string(),
  created_at: z.string()
})

export type DataSource = {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly createdAt: string
  /** Null for one that a script wrote into the table without a file. */
  readonly file: FileFacts | null
}

/** Data sources, and datasets beside them: what a run wrote is read as a file is. */
export const SOURCES_SQL = `
  SELECT id, name, kind, config_json, created_at FROM data_sources
  UNION ALL
  SELECT id, name, 'dataset', coalesce(stats_json, '{}'), created_at FROM datasets
  ORDER BY created_at DESC, name`

/** A dataset's rows in the form of a file's facts; null where nothing was written under its name yet. */
const datasetFacts = (name: string, stats: unknown): FileFacts | null => {
  const { data } = DatasetStats.safeParse(stats)
  if (data === undefined) return null
  const { bytes, sha256, version, columns, rows } = data
  const mediaType = 'application/vnd.apache.arrow.stream'
  return { fileName: name, mediaType, size: bytes, sha256, version, prepared: { columns, rows, notes: [] } }
}

export const toDataSource = (row: Row): DataSource => {
  const { config_json, created_at, ...rest } = SourceRow.parse(row)
  const config: unknown = JSON.parse(config_json)
  const file =
    rest.kind === 'dataset' ? datasetFacts(rest.name, config) : (FileFacts.safeParse(config).data ?? null)
  return { ...rest, createdAt: created_at, file }
}

/** Workflows whose draft or active version reads a data source, or reads or writes a dataset, by its name. */
export const USED_IN_SQL = `
  SELECT DISTINCT w.id, w.name FROM nodes n
  JOIN workflow_versions v ON v.id = n.workflow_version_id
  JOIN workflows w ON w.id = v.workflow_id
  WHERE v.status IN ('draft', 'active') AND (
    (n.kind = 'source' AND n.spec_json ->> '$.dataSource' = ?1)
    OR (n.kind = 'sink' AND n.spec_json ->> '$.dataset.name' = ?1))
  ORDER BY w.name`

const kindIcons: Readonly<Record<string, string>> = {
  csv: 'i-lucide-file-text',
  json: 'i-lucide-file-json',
  excel: 'i-lucide-file-spreadsheet',
  dataset: 'i-lucide-database',
  http: 'i-lucide-globe',
  manual: 'i-lucide-table-properties'
}
export const kindIcon = (kind: string): string => kindIcons[kind] ?? 'i-lucide-file'
