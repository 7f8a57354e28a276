import { createSHA256 } from 'hash-wasm'
import type { BackupJob } from '../backup-port.ts'
import type { FileStore } from '../blobs/file-store.ts'
import { namedFiles } from '../blobs/named-files.ts'
import type { Migration } from '../migrations/migrations.ts'
import { startCopy, toPlainFile } from '../sqlite/copy-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { hashTables, tableNames } from './content-hash.ts'
import { knownSchema, schemaOf } from './known-schema.ts'
import { BACKUP_SCHEMA, writeManifest, type Manifest } from './manifest.ts'
import { factsOf } from './shelf.ts'
import { nextTurn } from './turns.ts'

/** Pages that are copied before others' work gets in between. */
const STEP = 64
const CHUNK = 1024 * 1024

type Parts = {
  readonly source: SqliteDatabase
  /** Does something at once when no transaction of the source is open. */
  readonly between: <T>(work: () => T) => Promise<T>
  /** Empty, and nobody else's. */
  readonly target: SqliteDatabase
  readonly store: Pick<FileStore, 'open'>
  readonly migrations: readonly Migration[]
  readonly now: () => string
  readonly job: BackupJob
}

const copyPages = async ({ source, between, target, job }: Parts): Promise<void> => {
  const copy = await between(() => startCopy(source, target))
  try {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- slice by slice, others' work between them
      const isWhole = await between(() => copy.step(STEP))
      job.onProgress?.({ phase: 'copying', ...copy.progress() })
      if (isWhole) break
      // oxlint-disable-next-line no-await-in-loop -- the same
      await nextTurn(job.signal)
    }
  } finally {
    copy.end()
  }
  toPlainFile(target)
}

/** What no step of the schema made is a rebuild's table beside the old one: it does not last, and is not backed up. */
const dropPassing = ({ target, migrations }: Parts): void => {
  const known = knownSchema(target, migrations, factsOf(target).schemaVersion)
  for (const object of schemaOf(target).keys()) {
    const [type, name] = object.split(' ')
    if (known.has(object) || type === undefined || name === undefined) continue
    target.script(`DROP ${type} IF EXISTS "${name.replaceAll('"', '""')}"`)
  }
}

/** Adds a large blob in pieces; false where it is gone, or not what its name says. */
const addBlob = async ({ target, store, job }: Parts, name: string, onBytes: (bytes: number) => void) => {
  const blob = await store.open(name)
  if (blob === null) return false
  const hash = await createSHA256()
  target.script('SAVEPOINT blob')
  for (let at = 0, index = 0; at < blob.size; at += CHUNK, index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- piece by piece, never whole in memory
    const bytes = new Uint8Array(await blob.slice(at, at + CHUNK).arrayBuffer())
    hash.update(bytes)
    target.run('INSERT INTO backup_blob_chunks VALUES (?, ?, ?)', [name, index, bytes])
    onBytes(bytes.byteLength)
    // oxlint-disable-next-line no-await-in-loop -- the same
    await nextTurn(job.signal)
  }
  const isWhole = hash.digest('hex') === name
  if (!isWhole) target.script('ROLLBACK TO blob')
  target.script('RELEASE blob')
  return isWhole
}

/** The hash of the log's last seal; null where it has none, or a schema that knows none. */
const chainHeadOf = (target: SqliteDatabase): string | null => {
  if (!tableNames(target).includes('log_seals')) return null
  const [row] = target.allOnce('SELECT sha256 FROM log_seals ORDER BY last_position DESC LIMIT 1')
  return row === undefined ? null : String(row['sha256'])
}

const addBlobs = async (parts: Parts): Promise<Pick<Manifest, 'files' | 'missing'>> => {
  const { target, job } = parts
  const named = namedFiles(target)
  const total = named.reduce((sum, { size }) => sum + size, 0)
  const files: Manifest['files'] = []
  const missing: string[] = []
  let done = 0
  for (const { name, size } of named) {
    const onBytes = (bytes: number): void => {
      done += bytes
      job.onProgress?.({ phase: 'adding-blobs', done, total })
    }
    // oxlint-disable-next-line no-await-in-loop -- one connection
    if (await addBlob(parts, name, onBytes)) files.push({ name, size })
    else missing.push(name)
  }
  return { files, missing }
}

/**
 * Fills `target` with a backup: the source as it is when the copying ends, the large blobs, and the manifest. The caller
 * keeps the blobs' files from going away meanwhile.
 */
export const createBackup = async (parts: Parts): Promise<Manifest> => {
  const { target, now, job } = parts
  // Nothing is kept of a backup that is cut off, so nothing need be flushed.
  target.script('PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY')
  await copyPages(parts)
  const createdAt = now()
  const { schemaVersion, logPosition } = factsOf(target)
  target.script('PRAGMA journal_mode = MEMORY')
  dropPassing(parts)
  target.script(BACKUP_SCHEMA)
  const { files, missing } = await addBlobs(parts)
  const onTable = (done: number, total: number): void => job.onProgress?.({ phase: 'hashing', done, total })
  const tables = await hashTables(target, onTable, job.signal)
  const manifest: Manifest = {
    format: 'flowforge.backup/1',
    createdAt,
    schemaVersion,
    logPosition,
    chainHead: chainHeadOf(target),
    tables,
    files,
    missing
  }
  await writeManifest(target, manifest)
  return manifest
}
