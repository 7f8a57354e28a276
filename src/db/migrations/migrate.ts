import { FlowForgeError, toFlowForgeError } from '../flowforge-error.ts'
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

type Step = Migration & { readonly checksum: string }

/**
 * The steps that a database lacks, in order.
 * @throws FlowForgeError `NOT_ALLOWED` for a database that is newer than this code, `CORRUPT` where a step that was
 * applied is not the one this code knows
 */
export const pendingSteps = async (
  database: SqliteDatabase,
  migrations: readonly Migration[]
): Promise<{ found: number; steps: Step[] }> => {
  const newest = migrations.at(-1)?.version ?? 0
  const applied = new Map(appliedIn(database).map(({ version, checksum }) => [version, checksum]))
  const found = Math.max(0, ...applied.keys())
  if (found > newest) {
    const message = `This database has schema version ${found}; this FlowForge knows it up to ${newest}. Reload to get the newer FlowForge.`
    throw new FlowForgeError('NOT_ALLOWED', message, { found, newest })
  }
  const known = await Promise.all(
    migrations.map(async (step) => ({ ...step, checksum: await checksumOf(step.sql) }))
  )
  for (const { version, name, checksum } of known) {
    const was = applied.get(version)
    if (was === undefined || was === checksum) continue
    const message = `Step ${version} (${name}) of the database's schema is not the one that this FlowForge knows. Nothing was changed.`
    throw new FlowForgeError('CORRUPT', message, { version, expected: checksum, found: was })
  }
  return { found, steps: known.filter(({ version }) => !applied.has(version)) }
}

const failed = (thrown: unknown, found: number, newest: number, step: string): FlowForgeError => {
  const { code, message, details } = toFlowForgeError(thrown)
  return new FlowForgeError(
    code,
    `The database could not be brought from schema version ${found} to ${newest}. ${step} failed: ${message} Nothing was changed; the FlowForge of before can still open it.`,
    { ...details, reason: MIGRATION_FAILED, from: found, to: newest },
    thrown
  )
}

/** Marks, in an error's details, that the database stands as it was, with its old schema. */
export const MIGRATION_FAILED = 'migration-failed'

/**
 * Brings a database to the newest schema; answers with the schema's version. All steps that it lacks are one
 * transaction: were only some of them kept, neither the code of before nor this one could open it.
 *
 * @param before called ahead of the first step, unless the database is new; a copy is made there
 * @throws FlowForgeError `NOT_ALLOWED`, `CORRUPT`; a step's failure has the reason in its message and leaves the database as it was
 */
export const migrate = async (
  database: SqliteDatabase,
  migrations: readonly Migration[],
  now: () => string,
  before: (found: number, newest: number) => Promise<void> = async () => undefined
): Promise<number> => {
  const newest = migrations.at(-1)?.version ?? 0
  const { found, steps } = await pendingSteps(database, migrations)
  if (steps.length === 0) return newest
  if (found > 0) {
    await before(found, newest).catch((thrown: unknown) => {
      throw failed(thrown, found, newest, 'The copy that is kept from before')
    })
  }
  let current = ''
  try {
    database.script('BEGIN IMMEDIATE')
    for (const { version, name, sql, checksum } of steps) {
      current = `Step ${version} (${name})`
      database.script(sql)
      const record = 'INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)'
      database.allOnce(record, [version, name, checksum, now()])
    }
    database.script('COMMIT')
  } catch (thrown) {
    // A full disk, or a failing one, may have rolled it back already; that is what there is to tell then.
    if (database.sqlite3.capi.sqlite3_get_autocommit(database.handle) === 0) database.script('ROLLBACK')
    throw failed(thrown, found, newest, current)
  } finally {
    database.written.clear()
  }
  return newest
}
