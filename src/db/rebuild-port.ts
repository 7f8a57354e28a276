import type { ProjectionStorePort, Row } from './ports.ts'

/** One change of rows: what `upsert`, `update`, `remove` and `truncate` of the projection store do, as data. */
export type RowChange =
  | { readonly op: 'upsert'; readonly table: string; readonly rows: readonly Row[] }
  | { readonly op: 'update'; readonly table: string; readonly where: Row; readonly set: Row }
  | { readonly op: 'remove'; readonly table: string; readonly where: Row }
  | { readonly op: 'truncate'; readonly table: string }

/**
 * Copies of tables, filled beside them while they are read and written as before, and then put in their place. A copy
 * has its table's columns and primary key, and nothing that would refuse a row: what is filled in happened already.
 * Callers of `read`, `upsert` and `truncate` do not see copies. They last until they are swapped or abandoned.
 */
export interface RebuildPort {
  /** Makes an empty copy of each table; one that is there is emptied. */
  begin(args: { tables: readonly string[] }): Promise<void>
  /** Whether each of the tables has a copy. A backup is made without them. */
  isBegun(args: { tables: readonly string[] }): Promise<boolean>
  /** Applies changes to the copies: the rows are those that the changes would leave one by one, in this order. */
  apply(args: { changes: readonly RowChange[] }): Promise<void>
  /** Gives the tables the rows of their copies, writing those alone that differ, and drops the copies. */
  swap(args: { tables: readonly string[] }): Promise<void>
  /** Drops the copies, where there are any. */
  abandon(args: { tables: readonly string[] }): Promise<void>
}

/** Rows as they were: a database of its own in memory, with every table of the schema, empty until it is filled. */
export interface Past {
  /** As `RebuildPort.apply`, into the tables themselves. */
  apply(args: { changes: readonly RowChange[] }): Promise<void>
  read: ProjectionStorePort['read']
  close(): Promise<void>
}
