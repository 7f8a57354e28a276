import type { SqliteDatabase } from '../sqlite/sqlite-database.ts'
import type { Transactions } from '../sqlite/transactions.ts'
import type { FileStore, StoredFile } from './file-store.ts'

const USERS = `SELECT (SELECT count(*) FROM blobs WHERE file_name = ?1)
  + (SELECT count(*) FROM archive_segments WHERE sha256 = ?1) AS users`

/** The files behind the rows of `blobs` and `archive_segments`, one for all contexts of a database. */
export type BlobFiles = {
  /** Stores a stream's bytes under their hash; the file cannot go before `save` has named it, or has failed. */
  write<T>(stream: ReadableStream<Uint8Array>, save: (file: StoredFile) => Promise<T>): Promise<T>
  open(name: string): Promise<Blob | null>
  /** Removes the file once no transaction is open, if no row names it then: a rolled back removal leaves it there. */
  release(name: string): void
  /** No file goes until the function that this answers with is called. */
  hold(): () => void
  /** Answers when the removals that have begun are done. */
  settled(): Promise<void>
}

/** @param isKept whether a copy of the database that is kept beside it still needs the file */
export const createBlobFiles = (
  database: Pick<SqliteDatabase, 'all'>,
  transactions: Transactions,
  files: FileStore,
  isKept: (name: string) => boolean = () => false
): BlobFiles => {
  /** The last operation on each name; the next one waits for it. */
  const last = new Map<string, Promise<unknown>>()
  /** Names that are being stored, and how often: no row may name them yet. */
  const pins = new Map<string, number>()

  const inTurn = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const done = (last.get(name) ?? Promise.resolve()).then(work)
    const settled = done
      .catch(() => undefined)
      .then(() => {
        if (last.get(name) === settled) last.delete(name)
      })
    last.set(name, settled)
    return done
  }

  const pin = (name: string): void => {
    pins.set(name, (pins.get(name) ?? 0) + 1)
  }
  const unpin = (name: string): void => {
    const count = (pins.get(name) ?? 0) - 1
    if (count > 0) pins.set(name, count)
    else pins.delete(name)
  }

  /** While somebody holds the files: those that wait to be removed. */
  const released = new Set<string>()
  let holds = 0

  const removeUnused = (name: string): void => {
    if (holds > 0) {
      released.add(name)
      return
    }
    if (isKept(name)) return
    if (pins.has(name) || Number(database.all(USERS, [name])[0]?.['users']) > 0) return
    inTurn(name, () => files.remove(name)).catch((thrown: unknown) => {
      // The rows are right, and the next opening sweeps: nothing that a caller could do better.
      console.error(`The unused file ${name} could not be removed`, thrown)
    })
  }
  const release = (name: string): void => transactions.whenNoneIsOpen(() => removeUnused(name))

  return {
    write: async (stream, save) => {
      const staged = await files.stage(stream)
      const { name, size, sha256 } = staged
      pin(name)
      try {
        await inTurn(name, staged.keep)
        return await save({ name, size, sha256 })
      } finally {
        unpin(name)
        release(name)
      }
    },
    open: files.open,
    release,
    hold: () => {
      let isHeld = true
      holds += 1
      return () => {
        if (!isHeld) return
        isHeld = false
        holds -= 1
        if (holds > 0) return
        const waiting = [...released]
        released.clear()
        for (const name of waiting) release(name)
      }
    },
    settled: async () => {
      await Promise.all(last.values())
    }
  }
}
