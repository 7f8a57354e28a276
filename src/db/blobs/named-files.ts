import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'

export type NamedFile = {
  readonly name: string
  readonly size: number
  readonly kind: 'blob' | 'archive segment'
}

/** Every file that a database's rows name: large blobs, and archive segments. */
export const namedFiles = (database: SqliteDatabase): NamedFile[] => {
  // A copy from before a migration has no archive.
  const [archive] = database.allOnce(`SELECT 1 FROM sqlite_schema WHERE name = 'archive_segments'`)
  const segments =
    archive === undefined ? '' : `UNION ALL SELECT sha256, bytes, 'archive segment' FROM archive_segments`
  return database
    .allOnce(
      `SELECT name, max(size) AS size, max(kind) AS kind FROM (
         SELECT file_name AS name, size, 'blob' AS kind FROM blobs WHERE file_name IS NOT NULL ${segments})
       GROUP BY name ORDER BY name`
    )
    .map((row) => ({
      name: String(row['name']),
      size: Number(row['size']),
      kind: row['kind'] === 'blob' ? 'blob' : 'archive segment'
    }))
}
