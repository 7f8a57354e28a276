/** A database file that is kept beside the current one. */
export type KeptCopy = {
  /** Its name in storage, by which it is asked for. */
  readonly file: string
  readonly kind: 'before-migration' | 'before-restore' | 'damaged'
  readonly createdAt: string
  /** With the large blobs that it names; those may be shared with what is there now. */
  readonly bytes: number
  readonly schemaVersion: number
  readonly logPosition: number
}

/** What a backup says of itself. */
export type BackupSummary = {
  readonly createdAt: string
  readonly schemaVersion: number
  readonly logPosition: number
  readonly events: number
  readonly workflows: number
  readonly runs: number
  readonly dataSources: number
  readonly blobs: number
  /** Of the file. */
  readonly bytes: number
  /** Large blobs that were gone or damaged when it was made; everything else is in it. */
  readonly missing: readonly string[]
}

/** How far a backup or a restore has come; `done` and `total` are bytes in some phases, and rows in others. */
export type BackupProgress = {
  readonly phase: 'copying' | 'adding-blobs' | 'hashing' | 'writing' | 'reading' | 'verifying' | 'restoring'
  readonly done: number
  readonly total: number
}

export type BackupJob = {
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined
  /** Ends it with `CANCELED`; nothing remains of it. */
  readonly signal?: AbortSignal | undefined
}

/** Everything in one file, and back. One job at a time: another is refused with `CONFLICT`. */
export interface BackupPort {
  /**
   * Makes a backup of the database as it is when the copying ends; appends go on meanwhile. The file is kept in storage
   * until the one after the next is made, or until the next start.
   * @throws FlowForgeError `STORAGE_FULL` before anything is written, with what is needed; `CANCELED`
   */
  create(job: BackupJob): Promise<{ file: File; summary: BackupSummary }>
  /**
   * The same, written straight into a folder, where the `keep` latest backups stay and older ones are removed.
   * A file of another name is never touched.
   * @throws FlowForgeError `NOT_ALLOWED` with `details.reason` `folder-gone` or `folder-permission`; `STORAGE_FULL`
   */
  createIn(
    folder: FileSystemDirectoryHandle,
    keep: number,
    job: BackupJob
  ): Promise<{
    fileName: string
    summary: BackupSummary
    /** Why older ones are still there, in words for a person; null where they are not. */
    unpruned: string | null
  }>
  /** The latest backup in a folder, by its name; null where there is none. @throws FlowForgeError as `createIn` */
  latestIn(folder: FileSystemDirectoryHandle): Promise<File | null>
  /**
   * Reads a backup in and verifies all of it; it replaces nothing yet. Only the latest staged one is kept.
   * @throws FlowForgeError `INVALID_INPUT` for what is no backup, `CORRUPT` for a damaged one, `NOT_ALLOWED` for one of a
   * newer schema, `STORAGE_FULL`; each says what is wrong, and what was there stays
   */
  stage(file: Blob, job: BackupJob): Promise<{ id: string; summary: BackupSummary }>
  /** What is staged. @throws FlowForgeError `NOT_FOUND` where another file was staged since */
  staged(id: string): Promise<{ id: string; summary: BackupSummary }>
  /** Forgets what was staged. */
  discard(): Promise<void>
  /**
   * Lets the staged backup take the place of the database, which is kept. Afterwards this context answers nothing any
   * more: close it and open storage again.
   *
   * Where it fails after its large blobs were written, the file must be staged again. A cancel is heard until `onSwap`.
   *
   * @param onSwap called when all is prepared, just before this context stops answering; whatever follows, it must then
   * be opened again
   * @param isWanted asked when all is prepared, before `onSwap`: what it throws keeps everything as it is
   */
  restore(id: string, onSwap: () => void, job: BackupJob, isWanted?: () => Promise<void>): Promise<void>
  /** Lets what was there before the last restore come back; the same holds for this context. */
  undoRestore(onSwap: () => void): Promise<void>
  readonly kept: () => readonly KeptCopy[]
  /** A kept copy as a backup; a damaged one as it is, without a summary: no engine reads it whole. */
  saveKept(file: string, job: BackupJob): Promise<{ file: File; summary: BackupSummary | null }>
  removeKept(file: string): Promise<void>
  /** Grows with every restore: another generation is another history. `problem` says why the last restore was taken back, if it was. */
  readonly place: () => { readonly generation: number; readonly problem: string | null }
}
