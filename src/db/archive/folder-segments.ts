import { FlowForgeError } from '../flowforge-error.ts'
import { isAllowed, type ArchiveFolders } from './archive-folders.ts'

const isOf = (thrown: unknown, ...names: readonly string[]): boolean =>
  thrown instanceof DOMException && names.includes(thrown.name)

const notAllowed = (what: string, folder: string, cause?: unknown): FlowForgeError =>
  new FlowForgeError(
    'NOT_ALLOWED',
    `${what} the folder "${folder}", which the browser does not let FlowForge use until you say so again. Open Settings, Archive, and allow it.`,
    { reason: 'archive-folder', folder },
    cause
  )

const toWriteError = (thrown: unknown, fileName: string, folder: string): unknown => {
  if (isOf(thrown, 'QuotaExceededError')) {
    const message = `The folder "${folder}" is on a disk that is full. Nothing was archived into it.`
    return new FlowForgeError('STORAGE_FULL', message, { folder }, thrown)
  }
  if (isOf(thrown, 'NotAllowedError', 'SecurityError')) {
    return notAllowed(`The segment ${fileName} would be written into`, folder, thrown)
  }
  if (!isOf(thrown, 'NotFoundError')) return thrown
  const message = `The folder "${folder}" is gone. Choose another one.`
  return new FlowForgeError('NOT_FOUND', message, { folder }, thrown)
}

/** Segments in folders that a person chose. */
export type FolderSegments = {
  /** Whole and closed when it answers. @throws FlowForgeError `NOT_ALLOWED`, `NOT_FOUND`, `STORAGE_FULL` */
  write(folder: FileSystemDirectoryHandle, fileName: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  /** From whichever folder has it; null where none has. @throws FlowForgeError `NOT_ALLOWED` where one may not be looked into */
  open(fileName: string): Promise<File | null>
  /** Wherever it lies, as far as folders may be used; answers with the names of those that may not. */
  remove(fileName: string): Promise<readonly string[]>
}

export const createFolderSegments = (folders: Pick<ArchiveFolders, 'list'>): FolderSegments => ({
  write: async (folder, fileName, bytes) => {
    if (!(await isAllowed(folder))) {
      throw notAllowed(`The segment ${fileName} would be written into`, folder.name)
    }
    try {
      const handle = await folder.getFileHandle(fileName, { create: true })
      // What is written stands in a file aside until it is closed.
      const writable = await handle.createWritable()
      try {
        await writable.write(bytes)
        await writable.close()
      } catch (thrown) {
        await writable.abort().catch(() => undefined)
        throw thrown
      }
    } catch (thrown) {
      throw toWriteError(thrown, fileName, folder.name)
    }
  },
  open: async (fileName) => {
    let refused: FlowForgeError | null = null
    for (const folder of await folders.list()) {
      // oxlint-disable no-await-in-loop -- one folder, as a rule
      try {
        if (await isAllowed(folder)) return await (await folder.getFileHandle(fileName)).getFile()
        refused ??= notAllowed(`The archive segment ${fileName} is in`, folder.name)
      } catch (thrown) {
        if (isOf(thrown, 'NotAllowedError', 'SecurityError')) {
          refused ??= notAllowed(`The archive segment ${fileName} is in`, folder.name, thrown)
        } else if (!isOf(thrown, 'NotFoundError')) throw thrown
      }
      // oxlint-enable no-await-in-loop
    }
    if (refused !== null) throw refused
    return null
  },
  remove: async (fileName) => {
    const left: string[] = []
    for (const folder of await folders.list()) {
      // oxlint-disable no-await-in-loop -- the same
      try {
        if (await isAllowed(folder)) await folder.removeEntry(fileName)
        else left.push(folder.name)
      } catch (thrown) {
        if (isOf(thrown, 'NotAllowedError', 'SecurityError')) left.push(folder.name)
        else if (!isOf(thrown, 'NotFoundError')) throw thrown
      }
      // oxlint-enable no-await-in-loop
    }
    return left
  }
})
