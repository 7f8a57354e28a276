/** A value as a SQLite file holds it. */
export type FileValue = string | number | bigint | Uint8Array | null

/** What comes out of a file: first its columns and tables, then rows. */
export type FileRows = {
  readonly columns: readonly string[]
  /** Tables and views that the file has. */
  readonly tables: readonly string[]
  /** The one that is read; null for a query. */
  readonly table: string | null
  readonly rows: AsyncGenerator<readonly FileValue[]>
}

/**
 * + Reads a SQLite file that somebody brought, in a worker of its own. The file is not trusted: nothing is written, no
 * trigger and no code of its schema runs, and one SELECT is all that is asked of it. Without `table` and `query` its first
 * table is read. The worker ends with the last row, or when `rows` is returned from.
 * @throws FlowForgeError `INVALID_INPUT` for a broken file, an unknown table or a query that fails, `NOT_ALLOWED` for one
 * that would do more than read
 */
export type ReadSqliteFile = (args: {
  file: Blob
  table?: string | undefined
  query?: string | undefined
  signal?: AbortSignal | undefined
}) => Promise<FileRows>
