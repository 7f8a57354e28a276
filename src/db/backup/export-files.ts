import { toWriteError, writeFully } from '../blobs/opfs-file-store.ts'

/** Where a backup's bytes go that shall be handed out as a file. */
export type ExportFiles = {
  /** Writes a file; nothing remains of bytes that break off. The file before it stays readable, older ones go. */
  readonly write: (name: string, chunks: AsyncIterable<Uint8Array<ArrayBuffer>>) => Promise<File>
  /** Removes what the last start left. */
  readonly sweep: () => Promise<void>
}

const TYPE = 'application/vnd.sqlite3'

export const memoryExportFiles = (): ExportFiles => ({
  write: async (name, chunks) => {
    const parts: Uint8Array<ArrayBuffer>[] = []
    for await (const chunk of chunks) parts.push(chunk)
    return new File(parts, name, { type: TYPE })
  },
  sweep: async () => undefined
})

/** In a folder of OPFS, so that a browser hands them out from disk. */
export const opfsExportFiles = (folderName: string): ExportFiles => {
  const written: string[] = []
  let count = 0
  const openFolder = async (): Promise<FileSystemDirectoryHandle> =>
    (await navigator.storage.getDirectory()).getDirectoryHandle(folderName, { create: true })

  const fill = async (handle: FileSystemFileHandle, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    const access = await handle.createSyncAccessHandle()
    try {
      let at = 0
      // It may be in the place of one that was longer.
      access.truncate(0)
      for await (const chunk of chunks) {
        writeFully(access, chunk, at)
        at += chunk.byteLength
      }
      access.flush()
    } finally {
      access.close()
    }
  }

  return {
    write: async (name, chunks) => {
      const folder = await openFolder()
      for (const old of written.splice(0, written.length - 1)) {
        // oxlint-disable-next-line no-await-in-loop -- one or none
        await folder.removeEntry(old)
      }
      const stored = `${count++}-${name}`
      const handle = await folder.getFileHandle(stored, { create: true })
      try {
        await fill(handle, chunks)
        written.push(stored)
        // Made of the stored file, not of its bytes: they stay on disk.
        return new File([await handle.getFile()], name, { type: TYPE })
      } catch (thrown) {
        await folder.removeEntry(stored)
        throw toWriteError(thrown)
      }
    },
    sweep: async () => {
      const folder = await openFolder()
      for await (const name of folder.keys()) await folder.removeEntry(name)
    }
  }
}
