import { quoteName } from '../../workflow/sql-text.ts'
import type { Column, ValueType } from '../../workflow/value-type.ts'
import type { Session } from './session.ts'

/** So much of a run's memory may rows take that are kept for several readers: there may be others, and queries work beside them. */
const SHARE = 0.25

/** Bytes that a value takes in the engine's memory, about; texts are longer than they look. */
const WIDTHS: Readonly<Record<ValueType, number>> = {
  boolean: 1,
  integer: 8,
  number: 8,
  decimal: 16,
  date: 4,
  time: 8,
  timestamp: 8,
  text: 40,
  json: 100,
  bytes: 100
}

/** How many rows of these columns are kept at most. */
export const mostKept = (columns: readonly Column[], memoryBudget: number): number => {
  const width = columns.reduce((sum, { type }) => sum + WIDTHS[type], 8)
  return Math.floor((memoryBudget * SHARE) / width)
}

/**
 * Makes a table of a query's rows, under the relation's id.
 * @returns how many rows it has; null where there are more than `most`, and then there is no table
 */
export const keepRows = async (
  session: Session,
  { id, query }: { readonly id: string; readonly query: string },
  most: number
): Promise<number | null> => {
  const table = quoteName(id)
  // One more tells that there are more; nothing beyond it is computed.
  await session.run(`CREATE TEMP TABLE ${table} AS ${query} LIMIT ${most + 1}`)
  const [row] = await session.rows(`SELECT count(*)::DOUBLE AS "rows" FROM ${table}`)
  const rows = Number(row?.['rows'])
  if (rows <= most) return rows
  await session.run(`DROP TABLE ${table}`)
  return null
}
