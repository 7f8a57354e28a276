/** Room that is kept free by a file of zeros, and given up when a write has failed for want of it. */
export type Reserve = {
  readonly isTaken: () => boolean
  /** Gives the room up. */
  readonly release: () => Promise<void>
  /** Takes it again; answers whether there was room. Gives way to others between its pieces. */
  readonly take: () => Promise<boolean>
  /** Ends a taking that is under way. */
  readonly close: () => void
}

/** Enough for what deleting and exporting write to the database's WAL. */
export const RESERVE_BYTES = 16 * 1024 * 1024
const PIECE = 1024 * 1024

/**
 * Written, not merely sized: a file of holes keeps no room on a disk. Nobody has it open in between, and it is removed
 * rather than cut: a browser counts what a file once had as long as a handle is open on it.
 */
export const openReserve = async (
  name: string,
  open: <T>(attempt: () => Promise<T>) => Promise<T>,
  size = RESERVE_BYTES
): Promise<Reserve> => {
  const root = await navigator.storage.getDirectory()
  const zeros = new Uint8Array(Math.min(PIECE, size))
  let isTaken = (await (await root.getFileHandle(name, { create: true })).getFile()).size === size
  let isClosed = false
  /** Counts what was begun: a taking that a release came after ends, and has taken nothing. */
  let turn = 0

  const release = async (): Promise<void> => {
    turn += 1
    isTaken = false
    await open(() => root.removeEntry(name)).catch((thrown: unknown) => {
      if (!(thrown instanceof DOMException) || thrown.name !== 'NotFoundError') throw thrown
    })
  }

  const fill = async (isWanted: () => boolean): Promise<boolean> => {
    const handle = await root.getFileHandle(name, { create: true })
    const access = await open(() => handle.createSyncAccessHandle())
    try {
      for (let at = 0; at < size && isWanted(); at += zeros.byteLength) {
        const piece = zeros.subarray(0, size - at)
        // A browser may write less than it was given, or answer with a huge number.
        if (access.write(piece, { at }) !== piece.byteLength) return false
        // oxlint-disable-next-line no-await-in-loop -- a piece at a time
        await new Promise((resolve) => setTimeout(resolve))
      }
      access.flush()
      return isWanted()
    } catch {
      // That there is no room is the answer, whatever the browser calls it.
      return false
    } finally {
      access.close()
    }
  }

  return {
    isTaken: () => isTaken,
    release,
    take: async () => {
      const mine = (turn += 1)
      const hasTaken = await fill(() => turn === mine && !isClosed)
      // Whoever came after it says what is there.
      if (turn !== mine) return false
      isTaken = hasTaken
      if (!isTaken && !isClosed) await release()
      return isTaken
    },
    close: () => {
      isClosed = true
    }
  }
}
