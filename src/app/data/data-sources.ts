import { z } from 'zod'
import type { Row } from '../../worker/api.ts'
import { ValueType } from '../../workflow/value-type.ts'

const Column = z.object({ name: z.string(), type: ValueType, engineType: z.string() })
export type SourceColumn = z.infer<typeof Column>

/** What an import keeps of a file; see `data_sources.config_json`. */
const FileFacts = z.object({
  fileName: z.string(),
  mediaType: z.string(),
  size: z.number(),
  sha256: z.string(),
  prepared: z.object({ columns: z.array(Column), rows: z.number(), notes: z.array(z.string()) })
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

export const SOURCES_SQL =
  'SELECT id, name, kind, config_json, created_at FROM data_sources ORDER BY created_at DESC, name'

export const toDataSource = (row: Row): DataSource => {
  const { config_json, created_at, ...rest } = SourceRow.parse(row)
  const config: unknown = JSON.parse(config_json)
  return { ...rest, createdAt: created_at, file: FileFacts.safeParse(config).data ?? null }
}

/** Workflows whose draft or active version reads a data source, by its name. */
export const USED_IN_SQL = `
  SELECT DISTINCT w.id, w.name FROM nodes n
  JOIN workflow_versions v ON v.id = n.workflow_version_id
  JOIN workflows w ON w.id = v.workflow_id
  WHERE n.kind = 'source' AND v.status IN ('draft', 'active') AND n.spec_json ->> '$.dataSource' = ?
  ORDER BY w.name`

const kindIcons: Readonly<Record<string, string>> = {
  csv: 'i-lucide-file-text',
  json: 'i-lucide-file-json',
  excel: 'i-lucide-file-spreadsheet'
}
export const kindIcon = (kind: string): string => kindIcons[kind] ?? 'i-lucide-file'
