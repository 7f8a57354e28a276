/** Room that is kept free by a file of zeros, and given up when a write has failed for want of it. */
export type Reserve = {
  readonly isTaken: () => boolean
  /** Gives the room up, at once. */
  readonly release: () => void
  /** Takes it again; answers whether there was room. Gives way to others between its pieces. */
  readonly take: () => Promise<boolean>
  readonly close: () => void
}

/** Enough for what deleting and exporting write to the database's WAL. */
export const RESERVE_BYTES = 16 * 1024 * 1024
const PIECE = 1024 * 1024

/** Written, not merely sized: a file of holes keeps no room on a disk. */
export const openReserve = async (
  name: string,
  open: <T>(attempt: () => Promise<T>) => Promise<T>,
  size = RESERVE_BYTES
): Promise<Reserve> => {
  const root = await navigator.storage.getDirectory()
  const handle = await root.getFileHandle(name, { create: true })
  const access = await open(() => handle.createSyncAccessHandle())
  const zeros = new Uint8Array(Math.min(PIECE, size))
  let isClosed = false
  const isTaken = (): boolean => access.getSize() === size
  const release = (): void => {
    access.truncate(0)
    access.flush()
  }
  return {
    isTaken,
    release,
    take: async () => {
      try {
        for (let at = access.getSize(); at < size; at += zeros.byteLength) {
          const piece = zeros.subarray(0, size - at)
          // A browser may write less than it was given, or answer with a huge number.
          if (access.write(piece, { at }) !== piece.byteLength) throw new Error('There is no room for it.')
          // oxlint-disable-next-line no-await-in-loop -- a piece at a time
          await new Promise((resolve) => setTimeout(resolve))
          if (isClosed) return false
        }
        access.flush()
        return true
      } catch {
        // That there is no room is the answer, whatever the browser calls it.
        if (!isClosed) release()
        return false
      }
    },
    close: () => {
      isClosed = true
      access.close()
    }
  }
}
