import { openShelf, type KeptFacts, type Shelf } from '../backup/shelf.ts'
import { expectSqliteFile } from '../backup/file-header.ts'
import { toSummary } from '../backup/manifest.ts'
import { prepareReplacement, writeLargeBlobs } from '../backup/restore-backup.ts'
import { verifyBackup } from '../backup/verify-backup.ts'
import type { BackupSummary } from '../backup-port.ts'
import { FlowForgeError, isFlowForgeError } from '../flowforge-error.ts'
import { migrate } from '../migrations/migrate.ts'
import { MIGRATIONS, type Migration } from '../migrations/migrations.ts'
import type { SalvageReport } from '../salvage-port.ts'
import { openMainDatabase, openMemoryDatabase } from '../sqlite/open-database.ts'
import type { StoragePlace } from '../sqlite/sqlite-context.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { rebuildHeader } from './file-header.ts'
import { salvageDatabase } from './salvage-database.ts'

const INCOMING = '/incoming.db'
const UNKNOWN: KeptFacts = { bytes: 0, schemaVersion: 0, logPosition: 0 }

/** What can be done with a storage that does not open. The file that is in its place now is kept, whatever is done. */
export type Rescue = {
  /** The database's file as it is, and its write-ahead log if it has one. */
  readonly copies: () => Promise<File[]>
  /** Puts what is readable in its place. @throws FlowForgeError `CORRUPT` where nothing is */
  readonly salvage: () => Promise<SalvageReport>
  /** Verifies a backup and puts it in its place. @throws FlowForgeError as `BackupPort.stage` */
  readonly restore: (file: Blob) => Promise<BackupSummary>
  readonly close: () => void
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

/** Opens a rescue over a storage that nobody has open. */
export const openRescueIn = async (place: StoragePlace, options: RescueOptions): Promise<Rescue> => {
  const { databases, blobs } = place
  const { storage, migrations = MIGRATIONS, now, newId } = options
  const shelf: Shelf = await openShelf(databases)
  const current = (): string => shelf.current().file

  const openDamaged = async (): Promise<{ from: SqliteDatabase; isHeaderRebuilt: boolean }> => {
    try {
      return { from: await openToRead(place, current()), isHeaderRebuilt: false }
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown
      const bytes = rebuildHeader(databases.read(current()), await soundFile(migrations, now))
      await databases.write(INCOMING, new Blob([bytes]).stream())
      return { from: await openToRead(place, INCOMING), isHeaderRebuilt: true }
    }
  }

  const keepReport = (to: SqliteDatabase, report: SalvageReport): void => {
    const insert = `INSERT INTO health_reports (id, kind, outcome, report_json, created_at)
      VALUES (?, 'check', 'damaged', ?, ?)`
    to.allOnce(insert, [newId(), JSON.stringify(report), report.at])
  }

  const salvage = async (): Promise<SalvageReport> => {
    const next = shelf.nextFile()
    databases.remove(next)
    const { from, isHeaderRebuilt } = await openDamaged()
    try {
      const to = await openMainDatabase(databases, next, storage)
      try {
        await migrate(to, migrations, now)
        const report = await salvageDatabase({
          from,
          to,
          file: current(),
          isHeaderRebuilt,
          now,
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
    await databases.write(INCOMING, file.stream())
    const incoming = await databases.open(INCOMING)
    try {
      const manifest = await verifyBackup(incoming, migrations, {})
      await writeLargeBlobs(incoming, blobs, manifest, {})
      incoming.script('PRAGMA query_only = OFF')
      const next = shelf.nextFile()
      await prepareReplacement({ incoming, files: databases, next, storage, migrations, now })
      return toSummary(manifest, file.size)
    } finally {
      incoming.close()
      databases.remove(INCOMING)
    }
  }

  /** Every large blob stays: what named it may stand in a row that was lost. */
  const swap = async (): Promise<void> =>
    shelf.replaceDamaged(shelf.nextFile(), now(), UNKNOWN, await blobs.names())

  return {
    copies: async () =>
      databases
        .names()
        .filter((name) => name === current() || name === `${current()}-wal`)
        .map(
          (name) =>
            new File([databases.read(name)], `flowforge-damaged${name.endsWith('-wal') ? '.db-wal' : '.db'}`)
        ),
    salvage: async () => {
      const report = await salvage()
      await swap()
      return report
    },
    restore: async (file) => {
      const summary = await restore(file)
      await swap()
      return summary
    },
    close: databases.close
  }
}
