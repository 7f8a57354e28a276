import { FlowForgeError } from '../flowforge-error.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Migration } from './migrations.ts'

const checksumOf = async (sql: string): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(sql))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

type Applied = { readonly version: number; readonly checksum: string }

const appliedIn = (database: SqliteDatabase): Applied[] => {
  const [table] = database.allOnce(
    `SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'`
  )
  if (table === undefined) return []
  return database
    .allOnce('SELECT version, checksum FROM schema_migrations ORDER BY version')
    .map((row) => ({ version: Number(row['version']), checksum: String(row['checksum']) }))
}

/**
 * Brings a database to the newest schema, each step in a transaction of its own; answers with the schema's version.
 * @throws FlowForgeError `NOT_ALLOWED` for a database that is newer than this code, `CORRUPT` where a step that was
 * applied is not the one this code knows
 */
export const migrate = async (
  database: SqliteDatabase,
  migrations: readonly Migration[],
  now: () => string
): Promise<number> => {
  const newest = migrations.at(-1)?.version ?? 0
  const applied = new Map(appliedIn(database).map(({ version, checksum }) => [version, checksum]))
  const found = Math.max(0, ...applied.keys())
  if (found > newest) {
    const message = `This database has schema version ${found}; this FlowForge knows it up to ${newest}. Reload to get the newer FlowForge.`
    throw new FlowForgeError('NOT_ALLOWED', message, { found, newest })
  }
  for (const { version, name, sql } of migrations) {
    const checksum = await checksumOf(sql)
    const known = applied.get(version)
    if (known !== undefined && known !== checksum) {
      const message = `Step ${version} (${name}) of the database's schema is not the one that this FlowForge knows. Nothing was changed.`
      throw new FlowForgeError('CORRUPT', message, { version, expected: checksum, found: known })
    }
    if (known !== undefined) continue
    database.script('BEGIN IMMEDIATE')
    try {
      database.script(sql)
      const record = 'INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)'
      database.allOnce(record, [version, name, checksum, now()])
      database.script('COMMIT')
    } catch (thrown) {
      // A full disk, or a failing one, may have rolled it back already; that is what there is to tell then.
      if (database.sqlite3.capi.sqlite3_get_autocommit(database.handle) === 0) database.script('ROLLBACK')
      throw thrown
    }
  }
  database.written.clear()
  return newest
}
