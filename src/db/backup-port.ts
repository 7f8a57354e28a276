/** A database file that is kept beside the current one. */
export type KeptCopy = {
  /** Its name in storage, by which it is asked for. */
  readonly file: string
  readonly kind: 'before-migration' | 'before-restore'
  readonly createdAt: string
  /** With the large blobs that it names; those may be shared with what is there now. */
  readonly bytes: number
  readonly schemaVersion: number
  readonly logPosition: number
}
