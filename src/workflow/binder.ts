import type { Column } from './value-type.ts'

export type Complaint = { readonly ok: false; readonly message: string; readonly unknownColumn?: string }
export type Described = { readonly ok: true; readonly columns: readonly Column[] } | Complaint
export type Checked = { readonly ok: true } | Complaint

/** Rows by name and shape; what a query's FROM can name while it is only being looked at. */
export type Shape = { readonly name: string; readonly columns: readonly Column[] }

/**
 * What the planner asks of the compute engine: which columns a query gives, and whether a text is one expression.
 * Nothing runs and nothing is stored. `parameters` are seen as typed NULLs.
 */
export interface Binder {
  /** The columns of a SELECT over the given shapes. */
  describe(sql: string, over: readonly Shape[]): Promise<Described>
  /** Is this one scalar expression over these columns: no subquery, aggregate, window, table function, second statement? */
  checkScalar(expression: string, columns: readonly Column[]): Promise<Checked>
  /** The same, with aggregate functions allowed (and nothing else beside). */
  checkAggregate(expression: string, columns: readonly Column[]): Promise<Checked>
}
