import type { LastEnd } from '../health-port.ts'

/**
 * Says, in one byte beside the database, what was going on when the storage was left. It is written when work begins
 * after a rest, not at each commit: most ends of a browser give no time to write anything, and one at rest harms nothing.
 */
export type OpenMark = {
  readonly lastEnd: LastEnd
  /** Before a transaction that may write. Costs nothing but the first time after a rest. */
  readonly work: () => void
  /** Stays until a check finds the file sound, whatever happens until then. */
  readonly damage: () => void
  readonly sound: () => void
  readonly close: () => void
}

const BYTES = { working: 'w', atRest: 'r', closed: 'c', damaged: 'd' } as const
type Mark = keyof typeof BYTES

/**
 * How long nothing was begun before that counts as rest, in ms. Longer than the pauses within one piece of work, shorter
 * than it takes a person to reload: a reload right after a restore is no end in the middle of work.
 */
const REST_MS = 500

/** One byte that outlives the worker. */
export type MarkFile = {
  /** What stood there at the opening, and since when; null where there was nothing. */
  readonly found: { readonly byte: string; readonly at: string } | null
  readonly write: (byte: string) => void
  readonly close: () => void
}

const endOf = (found: MarkFile['found']): LastEnd => {
  if (found === null) return { kind: 'first' }
  const { byte, at } = found
  if (byte === BYTES.damaged) return { kind: 'damaged', at }
  return { kind: byte === BYTES.atRest || byte === BYTES.closed ? 'clean' : 'unclean', at }
}

export const createOpenMark = (file: MarkFile, restMs = REST_MS): OpenMark => {
  const lastEnd = endOf(file.found)
  let isDamaged = lastEnd.kind === 'damaged'
  let current: Mark | null = isDamaged ? 'damaged' : null
  let usedAt = 0
  let timer: ReturnType<typeof setTimeout> | null = null

  const set = (wanted: Mark): void => {
    // What could not be noted when the damage was found is noted as soon as something can be.
    const mark = isDamaged ? 'damaged' : wanted
    if (current === mark) return
    try {
      file.write(BYTES[mark])
      current = mark
    } catch (thrown) {
      // No work is refused for it: it is written with the next, and an end until then may go unnoticed.
      console.warn('How the storage is left could not be noted', thrown)
    }
  }
  const restLater = (): void => {
    timer = setTimeout(() => {
      if (performance.now() - usedAt >= restMs) {
        timer = null
        set('atRest')
      } else restLater()
    }, restMs)
  }

  return {
    lastEnd,
    work: () => {
      usedAt = performance.now()
      set('working')
      if (timer === null) restLater()
    },
    damage: () => {
      isDamaged = true
      set('damaged')
    },
    sound: () => {
      isDamaged = false
    },
    close: () => {
      if (timer !== null) clearTimeout(timer)
      set('closed')
      file.close()
    }
  }
}

/** For a storage that does not outlive its worker. */
export const memoryMarkFile = (): MarkFile => ({
  found: null,
  write: () => undefined,
  close: () => undefined
})

/**
 * The byte in a file of OPFS, held open so that it can be written without awaiting. To be opened by whoever holds the
 * database's files already: nobody else has it open then, or will let go of it in a moment.
 */
export const openMarkFile = async (
  name: string,
  open: <T>(attempt: () => Promise<T>) => Promise<T>
): Promise<MarkFile> => {
  const root = await navigator.storage.getDirectory()
  const handle = await root.getFileHandle(name, { create: true })
  const file = await handle.getFile()
  const byte = await file.slice(0, 1).text()
  const access = await open(() => handle.createSyncAccessHandle())
  return {
    found: byte === '' ? null : { byte, at: new Date(file.lastModified).toISOString() },
    write: (next) => {
      access.write(new TextEncoder().encode(next), { at: 0 })
      access.flush()
    },
    close: () => access.close()
  }
}
