export type StoredFile = { readonly name: string; readonly size: number; readonly sha256: string }

/** Files by the SHA-256 of their bytes: what `blobs` names and does not hold itself. */
export type FileStore = {
  /** Streams bytes in; the file is there whole when this answers, or not at all. */
  write(stream: ReadableStream<Uint8Array>): Promise<StoredFile>
  /** Reads lazily. Null where there is no such file. */
  open(name: string): Promise<Blob | null>
  remove(name: string): Promise<void>
  /** Removes every file that is not named: what a crash left behind. */
  sweep(named: ReadonlySet<string>): Promise<void>
}
