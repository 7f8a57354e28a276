import { z } from 'zod'
import { isJsonPointer } from '../http/json-pointer.ts'
import { ValueType } from '../value-type.ts'
import { ColumnName } from './spec-parts.ts'

export const HTTP_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const

export const HeaderName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'letters, digits and hyphens')
export const Pointer = z
  .string()
  .refine(isJsonPointer, 'a JSON pointer: empty for the whole answer, or names that each begin with /')

const Request = z.strictObject({
  endpoint: z.string(),
  method: z.enum(HTTP_METHODS),
  path: z.string(),
  headers: z.record(HeaderName, z.string()).optional(),
  body: z.unknown().optional()
})

/**
 * `types`, `format` and `indexTo` are additions: what a column is read as (text where nothing is said), what an answer is
 * in, and the column that gets the place, from 0, of the element that a row was made of.
 */
const Response = z.strictObject({
  columns: z.record(ColumnName, Pointer),
  explode: Pointer.optional(),
  types: z.record(ColumnName, ValueType).optional(),
  format: z.enum(['json', 'csv']).optional(),
  indexTo: ColumnName.optional()
})

export const HttpSpec = z.strictObject({
  template: z.string().optional(),
  request: Request.optional(),
  per: z.enum(['row', 'distinct', 'once']).default('row'),
  key: z.array(ColumnName).optional(),
  response: Response.optional(),
  concurrency: z.int().min(1).max(64).optional(),
  ratePerSecond: z.number().positive().optional(),
  timeoutMs: z.int().min(1).optional(),
  retry: z.strictObject({ times: z.int().min(0).max(20), backoffMs: z.int().min(0) }).optional(),
  idempotencyKey: z.string().optional(),
  onError: z.enum(['fail', 'reject', 'keep']).default('fail')
})
export type HttpSpec = z.infer<typeof HttpSpec>
