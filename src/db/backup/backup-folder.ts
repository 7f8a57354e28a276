import { FlowForgeError } from '../flowforge-error.ts'

/** `flowforge-2026-11-24-201503.sqlite`: sorted by name, they are sorted by time. */
export const backupFileName = (createdAt: string): string =>
  `flowforge-${createdAt.slice(0, 19).replaceAll(':', '').replace('T', '-')}.sqlite`
const OURS = /^flowforge-\d{4}-\d{2}-\d{2}-\d{6}\.sqlite$/

const isLost = (thrown: unknown): boolean =>
  thrown instanceof DOMException &&
  ['NotAllowedError', 'NotFoundError', 'SecurityError'].includes(thrown.name)

const toFolderError = (thrown: unknown): unknown => {
  if (thrown instanceof DOMException && thrown.name === 'QuotaExceededError') {
    return new FlowForgeError('STORAGE_FULL', 'The folder for backups is on a disk that is full.', {}, thrown)
  }
  if (!isLost(thrown)) return thrown
  const message =
    'The folder for backups cannot be written: it is gone, or the browser asks for permission again. Choose it again in the settings.'
  return new FlowForgeError('NOT_ALLOWED', message, { reason: 'folder' }, thrown)
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
      await folder.removeEntry(name)
      throw thrown
    }
  } catch (thrown) {
    throw toFolderError(thrown)
  }
}

/** Removes all but the latest backups; what has another name is somebody else's. */
export const pruneFolder = async (folder: FileSystemDirectoryHandle, keep: number): Promise<void> => {
  const names: string[] = []
  for await (const name of folder.keys()) if (OURS.test(name)) names.push(name)
  const old = names.toSorted().slice(0, -keep)
  await Promise.all(old.map((name) => folder.removeEntry(name)))
}
