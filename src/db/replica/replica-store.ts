import type { Row } from '../ports.ts'
import type { Bound } from '../sqlite/sqlite-database.ts'
import type { NewRows, ReplicaTable, ReplicaView } from './messages.ts'

/** One replica's rows. What it throws on `copy` or `apply` says that it cannot follow. */
export type ReplicaStore = {
  /** Makes the tables, empty, and the views over them. */
  create(tables: readonly ReplicaTable[], views: readonly ReplicaView[]): void
  copy(table: string, rows: Uint8Array<ArrayBuffer>): void
  /**
   * @param isExact false while rows are being copied: a change may be of a row that has not come yet
   * @param newRows which of the rows came first, where it matters
   */
  apply(changeset: Uint8Array<ArrayBuffer>, isExact: boolean, newRows: readonly NewRows[]): void
  position(): number
  /** By table: how many rows, and how much text. */
  counts(): Record<string, string>
  read(args: { sql: string; params: readonly Bound[]; timeoutMs: number }): Row[]
}

/**
 * What two copies of a table must agree on.
 *
 * @param bytesOf the engine's function that tells how many bytes a text has
 */
export const countSql = (
  { name, columns }: Pick<ReplicaTable, 'name' | 'columns'>,
  bytesOf: 'octet_length' | 'strlen'
): string => {
  const texts = columns.filter(({ type }) => type.toUpperCase() === 'TEXT')
  const lengths = texts.map((column) => `coalesce(sum(${bytesOf}("${column.name}")), 0)`)
  const all = ['count(*)', ...lengths].map((part) => `CAST(${part} AS TEXT)`).join(` || ' ' || `)
  return `SELECT ${all} AS counted FROM "${name}"`
}
