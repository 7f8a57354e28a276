export type StoredFile = { readonly name: string; readonly size: number; readonly sha256: string }

/** Bytes that are stored whole and flushed, and have no name yet. */
export type StagedFile = StoredFile & {
  /** Gives them their name, or lets them go where a file of that name is there already. */
  keep(): Promise<void>
}

/**
 * Files by the SHA-256 of their bytes: what `blobs` names and does not hold itself. Calls on one name must not overlap;
 * see `blob-files.ts`.
 */
export type FileStore = {
  /** Streams bytes in. A stream that errors leaves nothing. */
  stage(stream: ReadableStream<Uint8Array>): Promise<StagedFile>
  /** Reads lazily. Null where there is no such file. */
  open(name: string): Promise<Blob | null>
  remove(name: string): Promise<void>
  /** Of all files that are whole. */
  names(): Promise<string[]>
  /** Removes every file that is not named: what a crash left behind. */
  sweep(named: ReadonlySet<string>): Promise<void>
}
