import { createSHA256 } from 'hash-wasm'
import { z } from 'zod'
import { FlowForgeError } from '../flowforge-error.ts'
import type { BackupSummary } from '../backup-port.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'

/** What makes a copy of the database a backup: large blobs in pieces, and one row that says what belongs in it. */
export const BACKUP_SCHEMA = `
CREATE TABLE backup_blob_chunks (
  file_name TEXT NOT NULL,
  idx       INTEGER NOT NULL,
  bytes     BLOB NOT NULL,
  PRIMARY KEY (file_name, idx)
) STRICT;
CREATE TABLE backup_manifest (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  manifest_json TEXT NOT NULL CHECK (json_valid(manifest_json)),
  sha256        TEXT NOT NULL
) STRICT;
`
export const BACKUP_TABLES = ['backup_blob_chunks', 'backup_manifest'] as const

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const Count = z.number().int().min(0)

export const Manifest = z.strictObject({
  format: z.literal('flowforge.backup/1'),
  createdAt: z.string(),
  schemaVersion: z.number().int().min(1),
  logPosition: Count,
  /** The hash of the log's last seal, null where there is none; absent in what was made before it was noted. */
  chainHead: Sha256.nullable().optional(),
  /** Every table with the SHA-256 of its rows, see `content-hash.ts`. */
  tables: z.array(z.strictObject({ name: z.string(), rows: Count, sha256: Sha256 })),
  /** Large blobs by their SHA-256, in `backup_blob_chunks`. */
  files: z.array(z.strictObject({ name: Sha256, size: Count })),
  missing: z.array(z.string())
})
export type Manifest = z.infer<typeof Manifest>

const hashOf = async (text: string): Promise<string> => {
  const hash = await createSHA256()
  return hash.update(text).digest('hex')
}

export const writeManifest = async (database: SqliteDatabase, manifest: Manifest): Promise<void> => {
  const text = JSON.stringify(manifest)
  database.allOnce('INSERT INTO backup_manifest VALUES (1, ?, ?)', [text, await hashOf(text)])
}

/** @throws FlowForgeError `CORRUPT` where it is not what was written */
export const readManifest = async (database: SqliteDatabase): Promise<Manifest> => {
  const [row] = database.allOnce('SELECT manifest_json, sha256 FROM backup_manifest')
  const text = String(row?.['manifest_json'])
  if (row === undefined || (await hashOf(text)) !== row['sha256']) {
    throw new FlowForgeError(
      'CORRUPT',
      'The backup is damaged: its manifest is not the one that was written.'
    )
  }
  const parsed = Manifest.safeParse(JSON.parse(text))
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues
  throw new FlowForgeError('INVALID_INPUT', 'The backup is of a format that this FlowForge does not know.', {
    issues
  })
}

export const toSummary = (manifest: Manifest, bytes: number): BackupSummary => {
  const rowsOf = (name: string): number => manifest.tables.find((table) => table.name === name)?.rows ?? 0
  return {
    createdAt: manifest.createdAt,
    schemaVersion: manifest.schemaVersion,
    logPosition: manifest.logPosition,
    events: rowsOf('events') + rowsOf('archived_events'),
    workflows: rowsOf('workflows'),
    runs: rowsOf('runs'),
    dataSources: rowsOf('data_sources'),
    blobs: rowsOf('blobs'),
    bytes,
    missing: manifest.missing
  }
}
