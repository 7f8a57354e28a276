import { DATABASES } from '../backup/shelf-ledger.ts'
import { openShelf, type KeptFacts, type Shelf } from '../backup/shelf.ts'
import { expectSqliteFile } from '../backup/file-header.ts'
import { toSummary } from '../backup/manifest.ts'
import { prepareReplacement, writeLargeBlobs } from '../backup/restore-backup.ts'
import { verifyBackup } from '../backup/verify-backup.ts'
import type { BackupSummary } from '../backup-port.ts'
import { FlowForgeError, isFlowForgeError } from '../flowforge-error.ts'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS, type Migration } from '../migrations/migrations.ts'
import type { Rescue, RescueCopy, SalvageProgress, SalvageReport } from '../salvage-port.ts'
import { openMainDatabase, openMemoryDatabase } from '../sqlite/open-database.ts'
import type { StoragePlace } from '../sqlite/sqlite-context.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { inTurns, toStream } from '../backup/streams.ts'
import { HEADER, rebuildHeader } from './file-header.ts'
import { findDatabase } from './find-database.ts'
import { salvageDatabase } from './salvage-database.ts'

const INCOMING = '/incoming.db'
const UNKNOWN: Omit<KeptFacts, 'bytes'> = { schemaVersion: 0, logPosition: 0 }

/** SQLite finds a write-ahead log by its name beside the database's. */
const FILE_NAMES: Readonly<Record<Exclude<RescueCopy['kind'], 'unlisted'>, string>> = {
  current: 'flowforge-as-found.db',
  'write-ahead-log': 'flowforge-as-found.db-wal',
  'before-migration': 'flowforge-before-update.db',
  'before-restore': 'flowforge-before-restore.db',
  damaged: 'flowforge-damaged.db'
}

export type RescueOptions = {
  readonly storage: 'opfs' | 'memory'
  readonly migrations?: readonly Migration[]
  readonly now: () => string
  readonly newId: () => string
}

const isDamage = (thrown: unknown): boolean => isFlowForgeError(thrown) && thrown.code === 'CORRUPT'

/** Opens a damaged file to be read: nothing is written back into it, not even what its write-ahead log holds. */
const openToRead = async ({ databases }: StoragePlace, file: string): Promise<SqliteDatabase> => {
  const database = await databases.open(file)
  try {
    const { capi } = database.sqlite3
    capi.sqlite3_db_config(database.handle, capi.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, 0)
    database.script('PRAGMA writable_schema = ON')
    database.allOnce('SELECT count(*) FROM sqlite_schema')
    return database
  } catch (thrown) {
    database.close()
    throw thrown
  }
}

/** A newer schema may have columns that this code would leave behind. */
const expectKnown = (from: SqliteDatabase, migrations: readonly Migration[]): void => {
  let found: number
  try {
    found = Number(from.allOnce('SELECT max(version) AS version FROM schema_migrations')[0]?.['version'])
  } catch {
    // What its schema was is lost; what is readable is worth more than to know that.
    return
  }
  const newest = migrations.at(-1)?.version ?? 0
  if (!(found > newest)) return
  const message = `This database has schema version ${found}; this FlowForge knows it up to ${newest}. Reload to get the newer FlowForge, and salvage with that.`
  throw new FlowForgeError('NOT_ALLOWED', message, { found, newest })
}

/** The beginning of a sound file, from which a header is written anew. */
const soundFile = async (migrations: readonly Migration[], now: () => string): Promise<Uint8Array> => {
  const database = await openMemoryDatabase()
  try {
    await migrate(database, migrations, now)
    return database.sqlite3.capi.sqlite3_js_db_export(database.handle)
  } finally {
    database.close()
  }
}

/** A damaged file with a header that can be read. */
function* withHeader(
  databases: StoragePlace['databases'],
  file: string,
  sound: Uint8Array
): Generator<Uint8Array<ArrayBuffer>> {
  const empty = (): FlowForgeError =>
    new FlowForgeError('CORRUPT', 'The database file is empty. Restore a backup.', { file })
  let isFirst = true
  // However it ends, the loop has the file closed.
  for (const chunk of databases.chunks(file)) {
    if (isFirst && chunk.byteLength < HEADER) throw empty()
    yield isFirst ? rebuildHeader(chunk, databases.size(file), sound) : chunk
    isFirst = false
  }
  if (isFirst) throw empty()
}

/** Opens a rescue over a storage that nobody has open. */
export const openRescueIn = async (place: StoragePlace, options: RescueOptions): Promise<Rescue> => {
  const { databases, blobs, exports } = place
  const { storage, migrations = MIGRATIONS, now, newId } = options
  let opened = await openShelf(databases).catch((thrown: unknown) => {
    if (!isDamage(thrown)) throw thrown
    return null
  })
  const shelf = (): Shelf => {
    if (opened !== null) return opened
    const message =
      'The record of which database file is in use is damaged. Find the newest database first, then go on.'
    throw new FlowForgeError('CORRUPT', message, { found: databases.names() })
  }
  const current = (): string => shelf().current().file
  const openDamaged = async (): Promise<{ from: SqliteDatabase; isHeaderRebuilt: boolean }> => {
    try {
      return { from: await openToRead(place, current()), isHeaderRebuilt: false }
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown
      const sound = await soundFile(migrations, now)
      await databases.write(INCOMING, toStream(withHeader(databases, current(), sound)))
      return { from: await openToRead(place, INCOMING), isHeaderRebuilt: true }
    }
  }

  const keepReport = (to: SqliteDatabase, report: SalvageReport): void => {
    const insert = `INSERT INTO health_reports (id, kind, outcome, report_json, created_at)
      VALUES (?, 'check', 'damaged', ?, ?)`
    to.allOnce(insert, [newId(), JSON.stringify(report), report.at])
  }

  const salvage = async (onProgress?: (progress: SalvageProgress) => void): Promise<SalvageReport> => {
    const next = await shelf().nextFile()
    databases.remove(next)
    const { from, isHeaderRebuilt } = await openDamaged()
    try {
      expectKnown(from, migrations)
      const to = await openMainDatabase(databases, next, storage)
      try {
        await migrate(to, migrations, now)
        const report = await salvageDatabase({
          from,
          to,
          file: current(),
          isHeaderRebuilt,
          now,
          onProgress,
          segments: { open: ({ sha256 }) => blobs.open(sha256) }
        })
        if (report.tables.every(({ rows }) => rows === 0)) {
          const message = 'Nothing in the damaged database can be read. Restore a backup; the file is kept.'
          throw new FlowForgeError('CORRUPT', message, { report })
        }
        keepReport(to, report)
        return report
      } finally {
        to.close()
      }
    } catch (thrown) {
      databases.remove(next)
      throw thrown
    } finally {
      from.close()
      databases.remove(INCOMING)
    }
  }

  const restore = async (file: Blob): Promise<BackupSummary> => {
    await expectSqliteFile(file)
    const next = await shelf().nextFile()
    await databases.write(INCOMING, file.stream())
    const incoming = await databases.open(INCOMING)
    try {
      const manifest = await verifyBackup(incoming, migrations, {})
      await writeLargeBlobs(incoming, blobs, manifest, {})
      incoming.script('PRAGMA query_only = OFF')
      await prepareReplacement({ incoming, files: databases, next, storage, migrations, now })
      return toSummary(manifest, file.size)
    } catch (thrown) {
      // On a disk that is full it would be in the way of the next try.
      databases.remove(next)
      throw thrown
    } finally {
      incoming.close()
      databases.remove(INCOMING)
    }
  }

  /** Every large blob stays: what named it may stand in a row that was lost. */
  const swap = async (): Promise<void> =>
    shelf().replaceDamaged(
      await shelf().nextFile(),
      now(),
      { ...UNKNOWN, bytes: databases.size(current()) },
      await blobs.names()
    )

  const copies = (): RescueCopy[] => {
    const there = databases.names()
    if (opened === null) {
      return there
        .filter((name) => DATABASES.test(name.replace(/-wal$/, '')))
        .map((file) => ({
          file,
          kind: file.endsWith('-wal') ? 'write-ahead-log' : 'unlisted',
          bytes: databases.size(file),
          createdAt: null
        }))
    }
    const ofCurrent = (file: string, kind: RescueCopy['kind']): RescueCopy[] =>
      there.includes(file) ? [{ file, kind, bytes: databases.size(file), createdAt: null }] : []
    return [
      ...ofCurrent(current(), 'current'),
      ...ofCurrent(`${current()}-wal`, 'write-ahead-log'),
      ...opened
        .kept()
        .filter(({ file }) => there.includes(file))
        .map(({ file, kind, bytes, createdAt }) => ({ file, kind, bytes, createdAt }))
    ]
  }

  /** Where nothing says which is the current one, several may be handed out: each has its own name. */
  const fileNameOf = ({ file, kind }: RescueCopy): string =>
    opened === null || kind === 'unlisted' ? file.slice(1) : FILE_NAMES[kind]

  return {
    copies,
    save: async (file) => {
      const copy = copies().find((each) => each.file === file)
      if (copy !== undefined) return exports.write(fileNameOf(copy), inTurns(databases.chunks(file)))
      throw new FlowForgeError('NOT_FOUND', `There is no file "${file}" in this browser's storage.`, { file })
    },
    salvage: async (onProgress) => {
      const report = await salvage(onProgress)
      await swap()
      return report
    },
    restore: async (file) => {
      const summary = await restore(file)
      await swap()
      return summary
    },
    findDatabase: async () => {
      if (opened !== null) {
        const message = 'The record of which database file is in use can be read. Reload the page.'
        throw new FlowForgeError('NOT_ALLOWED', message, { file: current() })
      }
      const found = await findDatabase(place, (file) => openToRead(place, file), now)
      opened = await openShelf(databases)
      return found
    },
    close: databases.close
  }
}
