import { z } from 'zod'

/** Absent where nothing has file systems: in tests in Node. */
const isFolder = (value: unknown): boolean =>
  typeof FileSystemDirectoryHandle !== 'undefined' && value instanceof FileSystemDirectoryHandle

export const FolderHandle = z.custom<FileSystemDirectoryHandle>(isFolder, 'is no folder')

/** How often a backup is made by itself. */
export const BackupRhythm = z.discriminatedUnion('unit', [
  z.strictObject({ unit: z.literal('day') }),
  z.strictObject({ unit: z.literal('week') }),
  z.strictObject({ unit: z.literal('events'), count: z.number().int().min(1).max(1_000_000) })
])
export type BackupRhythm = z.infer<typeof BackupRhythm>

/** A backup that was made, and how far the log was then. */
const MadeBackup = z.object({
  /** ISO-8601 UTC. */
  at: z.string(),
  /** The chosen folder's name; null where it was handed to the person. */
  folderName: z.string().nullable(),
  fileName: z.string(),
  bytes: z.number(),
  generation: z.number(),
  logPosition: z.number()
})
export type MadeBackup = z.infer<typeof MadeBackup>

const BackupNotes = z.object({
  schedule: z
    .object({
      folder: FolderHandle,
      rhythm: BackupRhythm,
      keep: z.number().int().min(1),
      /** The last that was made by it; null until the first. */
      last: MadeBackup.nullable(),
      /** Why the last try failed; null where it did not. */
      problem: z
        .object({ at: z.string(), code: z.string(), message: z.string(), reason: z.string().nullable() })
        .nullable()
    })
    .nullable(),
  /** The last that was made at all. */
  last: MadeBackup.nullable()
})
export type BackupNotes = z.infer<typeof BackupNotes>
export type BackupSchedule = NonNullable<BackupNotes['schedule']>

/**
 * What is remembered of backups, beside the database: a folder's handle cannot stand in a table, and a restore must not
 * bring another machine's folder along.
 */
export type BackupNoteStore = {
  readonly read: () => Promise<BackupNotes>
  readonly change: (make: (notes: BackupNotes) => BackupNotes) => Promise<BackupNotes>
}

const EMPTY: BackupNotes = { schedule: null, last: null }

export const memoryBackupNotes = (): BackupNoteStore => {
  let notes = EMPTY
  return {
    read: async () => notes,
    change: async (make) => (notes = make(notes))
  }
}

const STORE = 'notes'
const KEY = 'backup'

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed without a word.'))
  })

const openDatabase = (name: string): Promise<IDBDatabase> => {
  const opening = indexedDB.open(name, 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
  return settled(opening)
}

const parse = (stored: unknown): BackupNotes => (stored === undefined ? EMPTY : BackupNotes.parse(stored))

/** In IndexedDB, which keeps handles. Opened for each access: nobody shall wait for this worker to let go of it. */
export const openBackupNotes = (name = 'flowforge-backups'): BackupNoteStore => {
  const using = async <T>(
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => Promise<T>
  ): Promise<T> => {
    const database = await openDatabase(name)
    try {
      const transaction = database.transaction(STORE, mode)
      const done = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB gave up.'))
      })
      const [answer] = await Promise.all([work(transaction.objectStore(STORE)), done])
      return answer
    } finally {
      database.close()
    }
  }
  return {
    read: async () => parse(await using('readonly', (store) => settled(store.get(KEY)))),
    change: (make) =>
      using('readwrite', async (store) => {
        const next = make(parse(await settled(store.get(KEY))))
        await settled(store.put(next, KEY))
        return next
      })
  }
}
