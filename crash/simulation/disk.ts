import type { Random } from '../random.ts'
import { createStoredFile, type Losses, type StoredFile } from './stored-file.ts'

/** What a disk does beside its work. Whatever is `none`, 0 or false here, it does right. */
export type DiskFaults = Losses & {
  /** How the browser tells that there is no room: as Chromium, as Firefox, or by throwing. */
  readonly fullAs: 'huge-number' | 'short-write' | 'exception'
  /** How often a spell without room begins, by write. */
  readonly fullChance: number
  /** How often a flush says that it failed, and did nothing. */
  readonly failedFlushChance: number
  /** How often a flush says that it was done, and did nothing. */
  readonly lostFlushChance: number
}

/** Files and folders by their path. */
type Tree = { readonly files: ReadonlyMap<string, StoredFile>; readonly folders: ReadonlySet<string> }

/** Files that outlive the programs which use them. */
export type Disk = {
  readonly faults: DiskFaults
  tree(): Tree
  /**
   * Changes names. They are journaled: a power failure leaves them as they were at some moment since any file was last
   * flushed, never out of order.
   */
  rename(change: (files: Map<string, StoredFile>, folders: Set<string>) => void): void
  flush(file: StoredFile): void
  /** The power fails: what was not flushed may be lost. */
  fail(): void
}

export const createDisk = (faults: DiskFaults, random: Random): Disk => {
  let durable: Tree = { files: new Map(), folders: new Set(['']) }
  let current: Tree = durable
  let since: Tree[] = []

  return {
    faults,
    tree: () => current,
    rename: (change) => {
      const files = new Map(current.files)
      const folders = new Set(current.folders)
      change(files, folders)
      current = { files, folders }
      since.push(current)
    },
    flush: (file) => {
      if (random.chance(faults.lostFlushChance)) return
      file.flush()
      durable = current
      since = []
    },
    fail: () => {
      durable = since[random.between(-1, since.length - 1)] ?? durable
      current = durable
      since = []
      for (const file of current.files.values()) file.fail(faults, random)
    }
  }
}

export { createStoredFile }
