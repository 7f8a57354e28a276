import type { ChainState } from './log-port.ts'

/** One immutable file of archived events. */
export type ArchiveSegment = {
  readonly id: number
  /** Its name in storage, or in the folder that was chosen. */
  readonly fileName: string
  readonly place: 'storage' | 'folder'
  /** Of the file, in hex. */
  readonly sha256: string
  /** Of the file. */
  readonly bytes: number
  /** Of what is compressed in it. */
  readonly contentBytes: number
  readonly events: number
  readonly streams: number
  readonly firstPosition: number
  readonly lastPosition: number
  /** Of its events, ISO-8601 UTC. */
  readonly firstEventAt: string
  readonly lastEventAt: string
  readonly createdAt: string
}

/** `bytes` is what the events take up in the database, about: it becomes free for what is written next. */
export type ArchiveMeasure = {
  readonly streams: number
  readonly events: number
  readonly bytes: number
}

/** A segment that cannot be read, and what is in it. */
export type ArchiveFinding = {
  readonly segmentId: number
  readonly fileName: string
  /** False for one that the browser does not let us look at without asking the person. */
  readonly isDamaged: boolean
  readonly message: string
}

/** A folder that a person chose for segments. */
export type ArchiveFolder = {
  readonly name: string
  /** For the page, which alone may ask the person for it again. */
  readonly handle: FileSystemDirectoryHandle
  /** Whether it may be used without asking. */
  readonly isAllowed: boolean
}

export type ArchiveProgress = { readonly doneEvents: number; readonly ofEvents: number }

/**
 * + Moves whole streams out of the log's table into compressed files, and back. Every reading of the log goes on as
 * before. It takes turns of its own: not to be awaited inside a transaction. One job at a time; another is `CONFLICT`.
 */
export interface ArchivePort {
  /** What moving these streams would give. The log's newest event is never moved. */
  measure(args: { aggregateIds: readonly string[] }): Promise<ArchiveMeasure>
  /**
   * Seals the log, then moves what these streams hold by now, a segment at a time: each is written, read back and
   * verified before one transaction lets it take the place of its events. What was moved before a failure stays moved.
   * @throws FlowForgeError `STORAGE_FULL`, `NOT_ALLOWED` where the folder may not be written
   */
  move(args: {
    aggregateIds: readonly string[]
    /** Where the files go; beside the blobs where none is given. */
    folder?: FileSystemDirectoryHandle | undefined
    onProgress?: ((progress: ArchiveProgress) => void) | undefined
  }): Promise<readonly ArchiveSegment[]>
  /** Latest first. */
  list(): Promise<readonly ArchiveSegment[]>
  /**
   * Reads segments through and names those that are missing or damaged; all where no id is given.
   * @param args.onSegment told before each; what it throws ends it
   */
  verify(args: {
    segmentId?: number | undefined
    onSegment?: (() => void) | undefined
  }): Promise<readonly ArchiveFinding[]>
  /**
   * Puts a segment's events back into the table and removes its file. Done before, it is left at that.
   * @throws FlowForgeError `CORRUPT` for a damaged segment, `NOT_FOUND` for one that never was
   */
  bringBack(args: { segmentId: number }): Promise<void>
  /** Those in which segments are looked for. */
  folders(): Promise<readonly ArchiveFolder[]>
  /** Segments are looked for in this folder, too: they were moved there, or this browser has forgotten where they are. */
  connect(args: { folder: FileSystemDirectoryHandle }): Promise<void>
}

/** What archiving asks of the log's chain: only what is sealed is moved. */
export type SealLog = () => Promise<ChainState>
