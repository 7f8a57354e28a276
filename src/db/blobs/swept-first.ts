import type { ExportFiles } from '../backup/export-files.ts'
import type { FileStore } from './file-store.ts'

/**
 * A store that is swept while it is in use: what is written waits for the sweep, which would take it for something that a
 * crash left behind. Reading and removing do not wait.
 */
export const sweptFirst = (store: FileStore, sweeping: Promise<void>): FileStore => ({
  stage: async (stream) => {
    await sweeping
    return store.stage(stream)
  },
  open: (name) => store.open(name),
  remove: (name) => store.remove(name),
  names: () => store.names(),
  sweep: (named) => store.sweep(named)
})

/** The same for what is handed out. */
export const exportedAfter = (exports: ExportFiles, sweeping: Promise<void>): ExportFiles => ({
  ...exports,
  write: async (name, chunks) => {
    await sweeping
    return exports.write(name, chunks)
  }
})
