import { FlowForgeError, toFlowForgeError } from '../flowforge-error.ts'

/** `flowforge-2026-11-24-201503.sqlite`: sorted by name, they are sorted by time. */
export const backupFileName = (createdAt: string): string =>
  `flowforge-${createdAt.slice(0, 19).replaceAll(':', '').replace('T', '-')}.sqlite`
const OURS = /^flowforge-\d{4}-\d{2}-\d{2}-\d{6}\.sqlite$/

const toFolderError = (folder: FileSystemDirectoryHandle, thrown: unknown): unknown => {
  if (!(thrown instanceof DOMException)) return thrown
  const name = `"${folder.name}"`
  switch (thrown.name) {
    case 'QuotaExceededError': {
      const message = `The folder ${name} for backups is on a disk that is full. Make room on it, or choose another folder.`
      return new FlowForgeError('STORAGE_FULL', message, { reason: 'folder-full' }, thrown)
    }
    case 'NotFoundError': {
      const message = `The folder ${name} for backups is gone. Connect its disk or bring it back, or choose another folder.`
      return new FlowForgeError('NOT_ALLOWED', message, { reason: 'folder-gone' }, thrown)
    }
    case 'NotAllowedError':
    case 'SecurityError': {
      const message = `The browser no longer lets FlowForge write into the folder ${name}. Allow it again in the settings.`
      return new FlowForgeError('NOT_ALLOWED', message, { reason: 'folder-permission' }, thrown)
    }
    case 'NoModificationAllowedError': {
      const message = `A file in the folder ${name} is open in another program. Close it there.`
      return new FlowForgeError('NOT_ALLOWED', message, { reason: 'file-open' }, thrown)
    }
    default:
      return thrown
  }
}

/** Writes a backup into a folder that the person chose; a file that breaks off never gets its name. */
export const writeIntoFolder = async (
  folder: FileSystemDirectoryHandle,
  name: string,
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>
): Promise<void> => {
  try {
    const handle = await folder.getFileHandle(name, { create: true })
    // What is written stands in a file aside until it is closed.
    const writable = await handle.createWritable()
    try {
      for await (const chunk of chunks) await writable.write(chunk)
      await writable.close()
    } catch (thrown) {
      await writable.abort().catch(() => undefined)
      // What kept it from being written may keep it from being removed; the first reason is the one to tell.
      await folder.removeEntry(name).catch(() => undefined)
      throw thrown
    }
  } catch (thrown) {
    throw toFolderError(folder, thrown)
  }
}

/**
 * From the oldest to the latest. A file has its name, and no bytes, from when it is begun until it is whole: one that a
 * browser's end cut off stays so, and is no backup.
 */
const backupNames = async (
  folder: FileSystemDirectoryHandle
): Promise<{ readonly whole: readonly string[]; readonly empty: readonly string[] }> => {
  const files: { name: string; size: number }[] = []
  for await (const [name, handle] of folder.entries()) {
    if (!OURS.test(name) || handle.kind !== 'file') continue
    const { size } = await (await folder.getFileHandle(name)).getFile()
    files.push({ name, size })
  }
  const named = (isEmpty: boolean): string[] =>
    files
      .filter(({ size }) => (size === 0) === isEmpty)
      .map(({ name }) => name)
      .toSorted()
  return { whole: named(false), empty: named(true) }
}

/**
 * Removes all but the latest backups, and what was cut off before them; what has another name is somebody else's. Answers
 * with why some of them are still there: another program may have one open. It keeps nobody from the backup that was made.
 */
export const pruneFolder = async (
  folder: FileSystemDirectoryHandle,
  keep: number
): Promise<string | null> => {
  try {
    const { whole, empty } = await backupNames(folder)
    const latest = whole.at(-1) ?? ''
    const old = [...whole.slice(0, -keep), ...empty.filter((name) => name < latest)]
    const removals = await Promise.allSettled(old.map((name) => folder.removeEntry(name)))
    const failed = removals.find((removal) => removal.status === 'rejected')
    if (failed === undefined) return null
    throw failed.reason
  } catch (thrown) {
    const { message } = toFlowForgeError(toFolderError(folder, thrown))
    return `A backup was made; older backups in the folder "${folder.name}" could not be removed. ${message}`
  }
}

/** The latest backup in a folder; null where there is none. @throws FlowForgeError `NOT_ALLOWED` */
export const latestInFolder = async (folder: FileSystemDirectoryHandle): Promise<File | null> => {
  try {
    const name = (await backupNames(folder)).whole.at(-1)
    return name === undefined ? null : await (await folder.getFileHandle(name)).getFile()
  } catch (thrown) {
    throw toFolderError(folder, thrown)
  }
}
