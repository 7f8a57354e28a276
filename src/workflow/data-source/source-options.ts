import { z } from 'zod'
import { ValueType } from '../value-type.ts'
import { csvOptions, marksDiffer } from './csv-reading.ts'

/** How a file is read where what is found in it is wrong, or says too little; a key that is left out is found out. */
export const SourceOptions = z
  .strictObject({
    ...csvOptions,
    sheet: z.string().optional(),
    /** Of a sheet: the part that is read, `A1:F200`. */
    range: z.string().max(32).optional(),
    /** Of a database file: the table, or a SELECT over its tables. */
    table: z.string().optional(),
    query: z.string().optional(),
    types: z.record(z.string(), ValueType).optional()
  })
  .superRefine(marksDiffer)
export type SourceOptions = z.infer<typeof SourceOptions>

/** Options as they are given or kept; who reads the file parses them. */
export type ToldOptions = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is ToldOptions => typeof value === 'object' && value !== null

/** A data source's own options with a node's over them, key by key; types column by column. */
export const overOwnOptions = (own: ToldOptions, told: ToldOptions): ToldOptions => ({
  ...own,
  ...told,
  ...(isRecord(own['types']) && isRecord(told['types'])
    ? { types: { ...own['types'], ...told['types'] } }
    : {})
})
