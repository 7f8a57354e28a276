import type { BackupJob } from '../backup-port.ts'
import type { FileStore } from '../blobs/file-store.ts'
import { migrate } from '../migrations/migrate.ts'
import type { Migration } from '../migrations/migrations.ts'
import type { DatabaseFiles } from '../sqlite/database-files.ts'
import { openMainDatabase } from '../sqlite/open-database.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import { BACKUP_TABLES, type Manifest } from './manifest.ts'
import { factsOf } from './shelf.ts'
import { nextTurn } from './turns.ts'
import { chunksOf } from './verify-backup.ts'

/** Puts the large blobs of a verified backup where the store keeps them; what is there already stays. */
export const writeLargeBlobs = async (
  incoming: SqliteDatabase,
  store: FileStore,
  manifest: Manifest,
  job: BackupJob
): Promise<void> => {
  const total = manifest.files.reduce((sum, { size }) => sum + size, 0)
  let done = 0
  // Whoever may cancel it hears that it has begun.
  job.onProgress?.({ phase: 'restoring', done, total })
  for (const { name } of manifest.files) {
    const chunks = chunksOf(incoming, name)
    const stream = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const next = chunks.next()
        if (next.done === true) return controller.close()
        done += next.value.byteLength
        job.onProgress?.({ phase: 'restoring', done, total })
        controller.enqueue(next.value)
        await nextTurn(job.signal)
      }
    })
    // oxlint-disable-next-line no-await-in-loop -- one after the other: they share a disk
    const kept = await store.stage(stream)
    // oxlint-disable-next-line no-await-in-loop -- the same
    await kept.keep()
  }
}

/** Makes the database that shall take the current one's place, and opens it once as it will be opened then. */
export const prepareReplacement = async (args: {
  readonly incoming: SqliteDatabase
  readonly files: DatabaseFiles
  readonly next: string
  readonly storage: 'opfs' | 'memory'
  readonly migrations: readonly Migration[]
  readonly now: () => string
}): Promise<void> => {
  const { incoming, files, next, storage, migrations, now } = args
  files.remove(next)
  incoming.script('PRAGMA synchronous = OFF')
  for (const table of BACKUP_TABLES) incoming.script(`DROP TABLE ${table}`)
  await files.compactInto(incoming, next)
  const replacement = await openMainDatabase(files, next, storage)
  try {
    await migrate(replacement, migrations, now)
    factsOf(replacement)
  } finally {
    replacement.close()
  }
}
