import type { BackupJob, BackupPort, KeptCopy } from '../backup-port.ts'
import type { BlobFiles } from '../blobs/blob-files.ts'
import type { FileStore } from '../blobs/file-store.ts'
import { namedFiles } from '../blobs/named-files.ts'
import { FlowForgeError } from '../flowforge-error.ts'
import type { Migration } from '../migrations/migrations.ts'
import type { DatabaseFiles } from '../sqlite/database-files.ts'
import { expectRoom, freeRoom } from '../sqlite/room.ts'
import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import { backupFileName, latestInFolder, pruneFolder, writeIntoFolder } from './backup-folder.ts'
import { createBackup } from './create-backup.ts'
import type { ExportFiles } from './export-files.ts'
import { expectSqliteFile } from './file-header.ts'
import { toSummary, type Manifest } from './manifest.ts'
import { readPages } from './read-pages.ts'
import { prepareReplacement, writeLargeBlobs } from './restore-backup.ts'
import type { Shelf } from './shelf.ts'
import { inTurns } from './streams.ts'
import { nextTurn } from './turns.ts'
import { VERIFY_STEPS, verifyBackup, type VerifyStep } from './verify-backup.ts'

const WORKING = '/backup.db'
const INCOMING = '/incoming.db'

export type BackupParts = {
  readonly database: SqliteDatabase
  readonly transactions: Transactions
  readonly databases: DatabaseFiles
  readonly shelf: Shelf
  readonly blobs: FileStore
  readonly blobFiles: BlobFiles
  readonly exports: ExportFiles
  readonly storage: 'opfs' | 'memory'
  readonly migrations: readonly Migration[]
  readonly now: () => string
  readonly room?: () => Promise<number>
  readonly verifySteps?: readonly VerifyStep[]
}

/** What a database and the files that it names take, in bytes. */
const sizeOf = (database: SqliteDatabase): number => {
  const [row] = database.allOnce(
    'SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size'
  )
  return namedFiles(database).reduce((sum, { size }) => sum + size, Number(row?.['bytes']))
}

/** The port over one open storage. `close` ends what is under way. */
export const createBackups = (parts: BackupParts): BackupPort & { readonly close: () => Promise<void> } => {
  const {
    database,
    transactions,
    databases: files,
    shelf,
    blobs: store,
    blobFiles,
    exports,
    storage,
    migrations,
    now
  } = parts
  const { room = freeRoom, verifySteps = VERIFY_STEPS } = parts
  const closing = new AbortController()
  let working: Promise<unknown> | null = null
  let staged: { readonly id: string; readonly manifest: Manifest; readonly size: number } | null = null

  /** One job at a time; its files are gone when it has ended, either way. */
  const alone = async <T>(job: BackupJob, work: (job: BackupJob) => Promise<T>): Promise<T> => {
    if (working !== null) {
      throw new FlowForgeError(
        'CONFLICT',
        'A backup or restore is under way. Wait until it is done, or cancel it.'
      )
    }
    const signal = job.signal === undefined ? closing.signal : AbortSignal.any([job.signal, closing.signal])
    const letGo = blobFiles.hold()
    const running = work({ ...job, signal })
    working = running
    try {
      return await running
    } finally {
      working = null
      letGo()
    }
  }

  const between = <T>(work: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      transactions.whenNoneIsOpen(() => {
        try {
          resolve(work())
        } catch (thrown) {
          reject(thrown)
        }
      })
    })

  async function* read(copy: SqliteDatabase, job: BackupJob): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const total = sizeOf(copy)
    let done = 0
    for (const bytes of readPages(copy)) {
      yield bytes
      done += bytes.byteLength
      job.onProgress?.({ phase: 'writing', done, total: Math.max(done, total) })
      await nextTurn(job.signal)
    }
  }

  /** Makes a backup of a database in a file of its own, and hands its bytes to `write`. */
  const make = async <T>(
    source: SqliteDatabase,
    turn: typeof between,
    copies: number,
    job: BackupJob,
    write: (name: string, chunks: AsyncIterable<Uint8Array<ArrayBuffer>>) => Promise<T>
  ) => {
    await expectRoom(sizeOf(source) * copies, 'A backup', room)
    const target = await files.open(WORKING)
    try {
      const manifest = await createBackup({ source, between: turn, target, store, migrations, now, job })
      let size = 0
      async function* counted(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
        for await (const chunk of read(target, job)) {
          size += chunk.byteLength
          yield chunk
        }
      }
      const file = await write(backupFileName(manifest.createdAt), counted())
      return { file, summary: toSummary(manifest, size) }
    } finally {
      target.close()
      files.remove(WORKING)
    }
  }

  const expectStaged = (id: string) => {
    if (staged?.id === id) return staged
    const message = 'This backup is no longer ready to be restored. Choose the file again.'
    throw new FlowForgeError('NOT_FOUND', message, { id })
  }

  const forget = (): void => {
    staged = null
    files.remove(INCOMING)
  }

  const replaceBy = async (file: string, onSwap: () => void): Promise<void> => {
    onSwap()
    // Whoever waits is answered first; who comes now is for the next database.
    await transactions.close()
    await blobFiles.settled()
    await shelf.replace(file, now(), database)
  }

  const readIn = async (file: Blob, job: BackupJob): Promise<{ id: string; manifest: Manifest }> => {
    await expectSqliteFile(file)
    // The file itself, and the database and blobs that are made of it.
    await expectRoom(file.size * 2, 'Reading this backup', room)
    forget()
    let done = 0
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        done += chunk.byteLength
        job.onProgress?.({ phase: 'reading', done, total: file.size })
        controller.enqueue(chunk)
      }
    })
    try {
      await files.write(
        INCOMING,
        file.stream().pipeThrough(counting, job.signal ? { signal: job.signal } : {})
      )
      const candidate = await files.open(INCOMING)
      try {
        return {
          id: crypto.randomUUID(),
          manifest: await verifyBackup(candidate, migrations, job, verifySteps)
        }
      } finally {
        candidate.close()
      }
    } catch (thrown) {
      forget()
      job.signal?.throwIfAborted()
      throw thrown
    }
  }

  return {
    create: (given) => alone(given, (job) => make(database, between, 2, job, exports.write)),
    createIn: (folder, keep, given) =>
      alone(given, async (job) => {
        const write = async (
          name: string,
          chunks: AsyncIterable<Uint8Array<ArrayBuffer>>
        ): Promise<string> => {
          await writeIntoFolder(folder, name, chunks)
          return name
        }
        const { file, summary } = await make(database, between, 1, job, write)
        return { fileName: file, summary, unpruned: await pruneFolder(folder, keep) }
      }),
    latestIn: latestInFolder,
    stage: (file, given) =>
      alone(given, async (job) => {
        const { id, manifest } = await readIn(file, job)
        staged = { id, manifest, size: file.size }
        return { id, summary: toSummary(manifest, file.size) }
      }),
    staged: async (id) => {
      const { manifest, size } = expectStaged(id)
      return { id, summary: toSummary(manifest, size) }
    },
    discard: () => alone({}, async () => forget()),
    restore: (id, onSwap, given, isWanted = async () => undefined) =>
      alone(given, async (job) => {
        const { manifest } = expectStaged(id)
        const next = await shelf.nextFile()
        const incoming = await files.open(INCOMING)
        let isTakenApart = false
        try {
          await writeLargeBlobs(incoming, store, manifest, job)
          // From here on what was staged is no backup any more: where this fails, the file must be read in again.
          isTakenApart = true
          await prepareReplacement({ incoming, files, next, storage, migrations, now })
          // Nobody was heard while the database was made.
          await nextTurn(job.signal)
          await isWanted()
          await replaceBy(next, onSwap)
        } catch (thrown) {
          if (shelf.current().file !== next) files.remove(next)
          throw thrown
        } finally {
          incoming.close()
          if (isTakenApart) forget()
        }
      }),
    undoRestore: (onSwap) =>
      alone({}, async () => {
        const before = shelf.kept().find(({ kind }) => kind === 'before-restore')
        if (before === undefined) {
          throw new FlowForgeError('NOT_FOUND', 'Nothing is kept from before a restore.')
        }
        await replaceBy(before.file, onSwap)
      }),
    kept: shelf.kept,
    saveKept: (file, given) =>
      alone(given, async (job) => {
        const { kind } = expectKept(shelf, file)
        // To open it would write back what stands in its write-ahead log.
        if (kind === 'damaged') {
          await expectRoom(files.size(file), 'A copy of the damaged file', room)
          const chunks = inTurns(files.chunks(file), job.signal)
          return { file: await exports.write(DAMAGED_NAME, chunks), summary: null }
        }
        const source = await files.open(file)
        try {
          return await make(source, async (work) => work(), 2, job, exports.write)
        } finally {
          source.close()
        }
      }),
    removeKept: (file) =>
      alone({}, async () => {
        expectKept(shelf, file)
        for (const name of await shelf.drop(file)) blobFiles.release(name)
      }),
    place: () => ({ generation: shelf.current().generation, problem: shelf.current().problem }),
    close: async () => {
      closing.abort(new FlowForgeError('CANCELED', 'FlowForge is closing; nothing was changed.'))
      await working?.catch(() => undefined)
    }
  }
}

const DAMAGED_NAME = 'flowforge-damaged.db'

const expectKept = (shelf: Shelf, file: string): KeptCopy => {
  const kept = shelf.kept().find((copy) => copy.file === file)
  if (kept !== undefined) return kept
  throw new FlowForgeError('NOT_FOUND', `No copy named ${file} is kept.`, { file })
}
