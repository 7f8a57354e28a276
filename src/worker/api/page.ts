import type { Row } from '../../db/ports.ts'
import type { ValueType } from '../../workflow/value-type.ts'

/** Rows of a table: integers beyond 2^53 are bigints, decimals text with every digit, dates and times ISO text. */
export type Page = {
  columns: { name: string; type: ValueType }[]
  rows: Row[]
  /** Of all rows, not of these. */
  total: number
}
