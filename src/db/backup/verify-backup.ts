import { createSHA256 } from 'hash-wasm'
import type { BackupJob } from '../backup-port.ts'
import { namedFiles } from '../blobs/named-files.ts'
import { FlowForgeError, isFlowForgeError } from '../flowforge-error.ts'
import { createArchivedEvents } from '../archive/archived-events.ts'
import { createSegmentCache } from '../archive/segment-cache.ts'
import type { SegmentFiles } from '../archive/segment-files.ts'
import { createRangeReader } from '../sqlite/event-reading.ts'
import { createTransactions } from '../sqlite/transactions.ts'
import { STEP_MS, ownCheck, walkTable } from '../health/check-table.ts'
import { verifyChain } from '../log/verify-chain.ts'
import { pendingSteps } from '../migrations/migrate.ts'
import type { Migration } from '../migrations/migrations.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { hashTable, tableNames } from './content-hash.ts'
import { knownSchema, schemaOf } from './known-schema.ts'
import { BACKUP_SCHEMA, readManifest, type Manifest } from './manifest.ts'
import { nextTurn } from './turns.ts'

/** A backup that was read in and opened, of which nothing is believed yet. */
export type Candidate = {
  readonly database: SqliteDatabase
  readonly migrations: readonly Migration[]
  readonly manifest: () => Manifest
  readonly job: BackupJob
}
/** One thing that must be so. It throws a FlowForgeError that says what is not. */
export type VerifyStep = { readonly name: string; readonly check: (candidate: Candidate) => Promise<void> }

const damaged = (what: string, details: Record<string, unknown> = {}): FlowForgeError =>
  new FlowForgeError('CORRUPT', `The backup is damaged: ${what}.`, details)

const isOfFlowForge = (database: SqliteDatabase): void => {
  const found = new Set(schemaOf(database).keys())
  const wanted = ['table events', 'table schema_migrations', 'table backup_manifest']
  const missing = wanted.filter((object) => !found.has(object))
  if (missing.length === 0) return
  const message = missing.includes('table events')
    ? 'This is a SQLite database, but not one of FlowForge.'
    : 'This is a database of FlowForge, but not a backup: it has no manifest.'
  throw new FlowForgeError('INVALID_INPUT', `${message} Choose a file that FlowForge saved as a backup.`, {
    missing
  })
}

/** Not one object more, less or other than the steps make: no view or trigger of somebody else's ever runs. */
const hasKnownSchema = async ({ database, migrations }: Candidate): Promise<void> => {
  const { steps } = await pendingSteps(database, migrations)
  const pending = new Set(steps.map(({ version }) => version))
  const version = Math.max(0, ...migrations.map((step) => step.version).filter((each) => !pending.has(each)))
  const known = knownSchema(database, migrations, version, [BACKUP_SCHEMA])
  const found = schemaOf(database)
  const strange = [...found].filter(([name, sql]) => known.get(name) !== sql).map(([name]) => name)
  const missing = [...known.keys()].filter((name) => !found.has(name))
  if (strange.length === 0 && missing.length === 0) return
  const words = [
    ...strange.map((name) => `${name} does not belong there`),
    ...missing.map((name) => `${name} is missing`)
  ]
  const message = `The backup was changed: its schema is not the one of version ${version} (${words.slice(0, 5).join(', ')}).`
  throw new FlowForgeError('CORRUPT', message, { strange, missing })
}

/** Is a table whole, and do its indexes say what its rows say? A large one is walked in pieces: others are heard, and a cancel. */
const isWholeIn =
  (stepMs: number): VerifyStep['check'] =>
  async ({ database, job }) => {
    const inTurn = async <T>(work: () => T): Promise<T> => {
      await nextTurn(job.signal)
      return work()
    }
    for (const table of database.allOnce(`SELECT name FROM sqlite_schema WHERE type = 'table'`)) {
      const name = String(table['name'])
      const own = ownCheck(database, 'integrity_check', name, stepMs)
      // oxlint-disable-next-line no-await-in-loop -- one table after the other, others' work between them
      const problems = own ?? (await walkTable(database, inTurn, name, true))
      if (problems.length > 0) throw damaged(problems.slice(0, 3).join('; '), { problems })
      const check = `PRAGMA foreign_key_check("${name.replaceAll('"', '""')}")`
      // oxlint-disable-next-line no-await-in-loop -- the same
      const [orphan] = await inTurn(() => database.allOnce(check))
      if (orphan === undefined) continue
      throw damaged(`a row of ${String(orphan['table'])} belongs to none of ${String(orphan['parent'])}`)
    }
  }

const hasItsRows = async ({ database, manifest, job }: Candidate): Promise<void> => {
  const { tables } = manifest()
  const names = tableNames(database)
  const listed = new Set(tables.map(({ name }) => name))
  const unlisted = names.filter((name) => !listed.has(name))
  if (unlisted.length > 0) throw damaged(`its manifest does not know ${unlisted.join(', ')}`)
  for (const [done, { name, rows, sha256 }] of tables.entries()) {
    if (!names.includes(name)) throw damaged(`the table ${name} is missing`)
    // oxlint-disable-next-line no-await-in-loop -- one connection
    const found = await hashTable(database, name, job.signal)
    if (found.sha256 !== sha256) {
      throw damaged(`the rows of ${name} are not those that were backed up`, {
        table: name,
        rows,
        found: found.rows
      })
    }
    job.onProgress?.({ phase: 'verifying', done: done + 1, total: tables.length })
  }
}

const CHUNKS = 'SELECT bytes FROM backup_blob_chunks WHERE file_name = ? AND idx = ?'

/** A large blob's pieces, one at a time. */
export function* chunksOf(database: SqliteDatabase, name: string): Generator<Uint8Array<ArrayBuffer>> {
  for (let index = 0; ; index += 1) {
    const [row] = database.all(CHUNKS, [name, index])
    if (!(row?.['bytes'] instanceof Uint8Array)) return
    yield new Uint8Array(row['bytes'])
  }
}

const hasItsFiles = async ({ database, manifest, job }: Candidate): Promise<void> => {
  const { files, missing } = manifest()
  const listed = new Set([...files.map(({ name }) => name), ...missing])
  const named = namedFiles(database)
  const kinds = new Map(named.map(({ name, kind }) => [name, kind]))
  const absent = named.map(({ name }) => name).filter((name) => !listed.has(name))
  if (absent.length > 0)
    throw damaged(`${absent.length} large blobs or archive segments are missing`, { files: absent })
  for (const { name, size } of files) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const hash = await createSHA256()
    let bytes = 0
    for (const chunk of chunksOf(database, name)) {
      hash.update(chunk)
      bytes += chunk.byteLength
      // oxlint-disable-next-line no-await-in-loop -- the same
      await nextTurn(job.signal)
    }
    if (bytes !== size || hash.digest('hex') !== name) {
      throw damaged(
        `the ${kinds.get(name) ?? 'blob'} ${name.slice(0, 12)}… is not the one that was backed up`,
        { file: name }
      )
    }
  }
}

const hasItsSmallBlobs = async ({ database, job }: Candidate): Promise<void> => {
  let last = ''
  for (;;) {
    const sql =
      'SELECT key, sha256, bytes FROM blobs WHERE bytes IS NOT NULL AND key > ? ORDER BY key LIMIT 50'
    const rows = database.all(sql, [last])
    for (const row of rows) {
      last = String(row['key'])
      if (!(row['bytes'] instanceof Uint8Array)) continue
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const hash = (await createSHA256()).update(row['bytes']).digest('hex')
      if (hash !== row['sha256'])
        throw damaged(`the blob "${last}" is not the one that was stored`, { key: last })
    }
    if (rows.length === 0) return
    // oxlint-disable-next-line no-await-in-loop -- the same
    await nextTurn(job.signal)
  }
}

/** The rows are those that were backed up; this is whether they were those that happened. */
const hasItsLog = async ({ database, manifest, job }: Candidate): Promise<void> => {
  // The first schema had no chain.
  if (!tableNames(database).includes('log_seals')) return
  const transactions = createTransactions(database)
  // What is archived stands in segments, among the backup's files.
  const files: SegmentFiles = {
    open: async ({ sha256 }) => new Blob([...chunksOf(database, sha256)])
  }
  const archived = createArchivedEvents(database, transactions, createSegmentCache(files))
  const { findings, headSha256 } = await verifyChain(database, {
    inTurn: async (read) => {
      await nextTurn(job.signal)
      return read()
    },
    ...(tableNames(database).includes('archive_segments')
      ? { readRange: createRangeReader(database, transactions, archived) }
      : {}),
    onProgress: ({ checkedEvents, ofEvents }) =>
      job.onProgress?.({ phase: 'verifying', done: checkedEvents, total: ofEvents })
  })
  const { chainHead = headSha256 } = manifest()
  // What files there are was verified before; a segment that is not in the backup is told of, and keeps nothing back.
  const broken = findings.filter(({ kind }) => kind !== 'unreadable')
  if (broken.length > 0) {
    throw damaged('its log is not the one that its hash chain seals', { findings: broken })
  }
  if (chainHead !== headSha256) {
    throw damaged('its log ends in another seal than the one that was backed up', {
      expected: chainHead,
      found: headSha256
    })
  }
}

/**
 * In this order: what comes first makes it safe to look at what comes next.
 *
 * @param stepMs how long one look at a table may take before it is walked in pieces
 */
export const verifySteps = (stepMs = STEP_MS): readonly VerifyStep[] => [
  { name: 'schema', check: hasKnownSchema },
  { name: 'structure', check: isWholeIn(stepMs) },
  { name: 'rows', check: hasItsRows },
  { name: 'large blobs', check: hasItsFiles },
  { name: 'small blobs', check: hasItsSmallBlobs },
  { name: 'log', check: hasItsLog }
]
export const VERIFY_STEPS = verifySteps()

/** Keeps whatever the file holds from running or writing, before it is first read. */
const distrust = ({ sqlite3, handle, script }: SqliteDatabase): void => {
  const { capi } = sqlite3
  const off = [
    capi.SQLITE_DBCONFIG_ENABLE_TRIGGER,
    capi.SQLITE_DBCONFIG_ENABLE_VIEW,
    capi.SQLITE_DBCONFIG_TRUSTED_SCHEMA
  ] as const
  for (const option of off) capi.sqlite3_db_config(handle, option, 0, 0)
  capi.sqlite3_db_config(handle, capi.SQLITE_DBCONFIG_DEFENSIVE, 1, 0)
  script('PRAGMA cell_size_check = ON; PRAGMA query_only = ON')
}

/** @throws FlowForgeError that says what is wrong with it */
export const verifyBackup = async (
  database: SqliteDatabase,
  migrations: readonly Migration[],
  job: BackupJob,
  steps: readonly VerifyStep[] = VERIFY_STEPS
): Promise<Manifest> => {
  let name = 'format'
  try {
    distrust(database)
    isOfFlowForge(database)
    let manifest: Manifest | null = null
    const known = (): Manifest => {
      if (manifest === null) throw new FlowForgeError('INTERNAL', 'The manifest is read after the schema.')
      return manifest
    }
    for (const step of steps) {
      name = step.name
      // oxlint-disable-next-line no-await-in-loop -- each relies on those before it
      await step.check({ database, migrations, manifest: known, job })
      // oxlint-disable-next-line no-await-in-loop -- the same
      manifest ??= await readManifest(database)
    }
    return known()
  } catch (thrown) {
    // What SQLite itself stumbles over is damage too, whatever it calls it.
    if (isFlowForgeError(thrown) && !['INTERNAL', 'TIMEOUT'].includes(thrown.code)) {
      throw new FlowForgeError(thrown.code, thrown.message, { ...thrown.details, check: name }, thrown)
    }
    throw new FlowForgeError(
      'CORRUPT',
      `The backup is damaged: it cannot be read (${name}).`,
      { check: name },
      thrown
    )
  }
}
