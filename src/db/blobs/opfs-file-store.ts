import { createSHA256 } from 'hash-wasm'
import { FlowForgeError } from '../flowforge-error.ts'
import { toDiskFailure } from '../sqlite/file-failures.ts'
import type { FileStore } from './file-store.ts'

const PARTIAL = '.partial'

const isFull = (thrown: unknown): boolean =>
  thrown instanceof DOMException && thrown.name === 'QuotaExceededError'

/** What failed while a file was written; that there was no room is told as such. */
export const toWriteError = (thrown: unknown): unknown =>
  isFull(thrown)
    ? new FlowForgeError(
        'STORAGE_FULL',
        'The storage is full. Delete results or sources that you no longer need, then try again.',
        {},
        thrown
      )
    : thrown

/** `move` renames within OPFS; it is in every browser that has sync access handles, and not yet in TypeScript's lib. */
type Movable = FileSystemFileHandle & { move(name: string): Promise<void> }
const isMovable = (handle: FileSystemFileHandle): handle is Movable => 'move' in handle

const isMissing = (thrown: unknown): boolean =>
  thrown instanceof DOMException && thrown.name === 'NotFoundError'

const exists = async (folder: FileSystemDirectoryHandle, name: string): Promise<boolean> => {
  try {
    await folder.getFileHandle(name)
    return true
  } catch (thrown) {
    if (isMissing(thrown)) return false
    throw thrown
  }
}

/** Writes all of a chunk. A browser that runs out of quota may write less than it was given, or say so with a huge number. */
export const writeFully = (access: FileSystemSyncAccessHandle, chunk: Uint8Array, at: number): void => {
  const written = access.write(chunk, { at })
  if (written === chunk.byteLength) return
  throw new FlowForgeError('STORAGE_FULL', 'The storage is full: a file could not be written whole.', {
    written
  })
}

/** Files in a folder of OPFS. Only a worker may write: sync access handles are the one way to flush. */
export const openOpfsFileStore = async (folderName: string): Promise<FileStore> => {
  const root = await navigator.storage.getDirectory()
  const folder = await root.getDirectoryHandle(folderName, { create: true })

  const fill = async (partial: FileSystemFileHandle, stream: ReadableStream<Uint8Array>) => {
    const hash = await createSHA256()
    const access = await partial.createSyncAccessHandle()
    try {
      let size = 0
      for await (const chunk of stream) {
        hash.update(chunk)
        writeFully(access, chunk, size)
        size += chunk.byteLength
      }
      access.flush()
      return { size, sha256: hash.digest('hex') }
    } finally {
      access.close()
    }
  }

  const settle = async (partial: FileSystemFileHandle, name: string): Promise<void> => {
    // The same bytes are there already: the name is their hash.
    if (await exists(folder, name)) {
      await folder.removeEntry(partial.name)
      return
    }
    if (!isMovable(partial)) {
      throw new FlowForgeError(
        'STORAGE_UNAVAILABLE',
        'This browser cannot rename files in its storage. Use a newer one.'
      )
    }
    await partial.move(name)
  }

  return {
    stage: async (stream) => {
      const partial = await folder.getFileHandle(`${crypto.randomUUID()}${PARTIAL}`, { create: true })
      // What was written is of no use then; the first failure is the one to tell.
      const discard = () => folder.removeEntry(partial.name).catch(() => undefined)
      const orDiscard = async <T>(work: Promise<T>): Promise<T> => {
        try {
          return await work
        } catch (thrown) {
          await discard()
          throw (await toDiskFailure(thrown, 'writing a file')) ?? thrown
        }
      }
      const { size, sha256 } = await orDiscard(fill(partial, stream))
      return { name: sha256, size, sha256, keep: () => orDiscard(settle(partial, sha256)) }
    },
    open: async (name) => {
      try {
        return await (await folder.getFileHandle(name)).getFile()
      } catch (thrown) {
        if (isMissing(thrown)) return null
        throw thrown
      }
    },
    remove: async (name) => {
      await folder.removeEntry(name).catch((thrown: unknown) => {
        if (!isMissing(thrown)) throw thrown
      })
    },
    names: async () => {
      const names: string[] = []
      for await (const name of folder.keys()) if (!name.endsWith(PARTIAL)) names.push(name)
      return names
    },
    sweep: async (named) => {
      for await (const name of folder.keys()) if (!named.has(name)) await folder.removeEntry(name)
    }
  }
}
