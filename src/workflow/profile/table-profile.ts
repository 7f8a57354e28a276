import { z } from 'zod'
import { ValueType } from '../value-type.ts'

const Count = z.number().min(0)
const Value = z.string().nullable()

/** Which part of a column's numbers lies below each of `quantiles`. */
export const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95] as const

export const ColumnProfile = z.object({
  name: z.string(),
  type: ValueType,
  nulls: Count,
  distinct: Count,
  /** As text, cut after a hundred characters; null where there is no value, or none comes before another. */
  min: Value,
  max: Value,
  /** At `QUANTILES`; days and moments in seconds since 1970. Null for what is no number. */
  quantiles: z.array(z.number()).nullable(),
  /** How many values lie in each of twenty bars of one width, from the least to the greatest; null without numbers. */
  histogram: z.array(Count).nullable()
})
export type ColumnProfile = z.infer<typeof ColumnProfile>

/** What stands in a table's columns. */
export const TableProfile = z.object({
  /** How many rows were looked at: the first ones, where there are more in `total`. */
  rows: Count,
  total: Count,
  /** Are `distinct` and `quantiles` exact? Of many rows they are estimated; all the rest is always exact. */
  isExact: z.boolean(),
  columns: z.array(ColumnProfile)
})
export type TableProfile = z.infer<typeof TableProfile>
