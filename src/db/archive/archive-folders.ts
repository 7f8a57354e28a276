import { z } from 'zod'

/** What of a handle no library of types has; Chromium's. */
type Asking = FileSystemDirectoryHandle & {
  queryPermission(of: { readonly mode: 'readwrite' }): Promise<PermissionState>
}
const canBeAsked = (folder: FileSystemDirectoryHandle): folder is Asking => 'queryPermission' in folder

/** Whether a folder may be read and written without asking the person. */
export const isAllowed = async (folder: FileSystemDirectoryHandle): Promise<boolean> =>
  !canBeAsked(folder) || (await folder.queryPermission({ mode: 'readwrite' })) === 'granted'

/** A file that is about to be written into a folder, or was, and that no row may name yet. */
export type PendingFile = { readonly fileName: string; readonly sha256: string }

/**
 * The folders that a person chose for segments, and what may lie in them that nobody needs. Beside the database: a handle
 * cannot stand in a table, and a restore must not bring another machine's folders along.
 */
export type ArchiveFolders = {
  list(): Promise<readonly FileSystemDirectoryHandle[]>
  /** Chosen again, it is the same one. */
  remember(folder: FileSystemDirectoryHandle): Promise<void>
  pending(): Promise<readonly PendingFile[]>
  expect(file: PendingFile): Promise<void>
  settle(fileName: string): Promise<void>
}

const includes = async (
  folders: readonly FileSystemDirectoryHandle[],
  folder: FileSystemDirectoryHandle
): Promise<boolean> => {
  const same = await Promise.all(folders.map((each) => each.isSameEntry(folder)))
  return same.includes(true)
}

export const memoryArchiveFolders = (): ArchiveFolders => {
  const folders: FileSystemDirectoryHandle[] = []
  const files = new Map<string, PendingFile>()
  return {
    list: async () => folders,
    remember: async (folder) => {
      if (!(await includes(folders, folder))) folders.push(folder)
    },
    pending: async () => [...files.values()],
    expect: async (file) => {
      files.set(file.fileName, file)
    },
    settle: async (fileName) => {
      files.delete(fileName)
    }
  }
}

const FOLDERS = 'folders'
const FILES = 'files'
const Folders = z.array(
  z.custom<FileSystemDirectoryHandle>((value) => value instanceof FileSystemDirectoryHandle, 'is no folder')
)
const Files = z.array(z.object({ fileName: z.string(), sha256: z.string() }))

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('IndexedDB failed without a word.'))
  })

const committed = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB gave up.'))
  })

const openDatabase = (name: string): Promise<IDBDatabase> => {
  const opening = indexedDB.open(name, 1)
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(FOLDERS, { autoIncrement: true })
    opening.result.createObjectStore(FILES, { keyPath: 'fileName' })
  }
  return settled(opening)
}

/** In IndexedDB, which keeps handles. Opened for each access: nobody shall wait for this worker to let go of it. */
export const openArchiveFolders = (name: string): ArchiveFolders => {
  const using = async <T>(
    store: string,
    mode: IDBTransactionMode,
    work: (store: IDBObjectStore) => IDBRequest<T>
  ): Promise<T> => {
    const database = await openDatabase(name)
    try {
      const transaction = database.transaction(store, mode)
      const [answer] = await Promise.all([
        settled(work(transaction.objectStore(store))),
        committed(transaction)
      ])
      return answer
    } finally {
      database.close()
    }
  }
  const list = async () => Folders.parse(await using(FOLDERS, 'readonly', (store) => store.getAll()))
  return {
    list,
    remember: async (folder) => {
      if (await includes(await list(), folder)) return
      await using(FOLDERS, 'readwrite', (store) => store.add(folder))
    },
    pending: async () => Files.parse(await using(FILES, 'readonly', (store) => store.getAll())),
    expect: async (file) => {
      await using(FILES, 'readwrite', (store) => store.put(file))
    },
    settle: async (fileName) => {
      await using(FILES, 'readwrite', (store) => store.delete(fileName))
    }
  }
}
