import { z } from 'zod'

/** The types that a column can have, as `workflow-document.md` names them. */
export const VALUE_TYPES = [
  'boolean',
  'integer',
  'number',
  'decimal',
  'text',
  'date',
  'time',
  'timestamp',
  'json',
  'bytes'
] as const

export const ValueType = z.enum(VALUE_TYPES)
export type ValueType = z.infer<typeof ValueType>

/** A column of rows that flow between nodes. `engineType` is the compute engine's own name of the type, e.g. `DECIMAL(18,3)`. */
export const Column = z.strictObject({ name: z.string(), type: ValueType, engineType: z.string() }).readonly()
export type Column = z.infer<typeof Column>
