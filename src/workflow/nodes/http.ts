import { z } from 'zod'
import { oneInput, readerOf } from './node-type.ts'
import { ColumnName } from './spec-parts.ts'

const Request = z.strictObject({
  endpoint: z.string(),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']),
  path: z.string(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional()
})

export const HttpSpec = z.strictObject({
  template: z.string().optional(),
  request: Request.optional(),
  per: z.enum(['row', 'distinct', 'once']).default('row'),
  key: z.array(ColumnName).optional(),
  response: z
    .strictObject({ columns: z.record(ColumnName, z.string()), explode: z.string().optional() })
    .optional(),
  concurrency: z.int().min(1).max(64).optional(),
  ratePerSecond: z.number().positive().optional(),
  timeoutMs: z.int().min(1).optional(),
  retry: z.strictObject({ times: z.int().min(0), backoffMs: z.int().min(0) }).optional(),
  idempotencyKey: z.string().optional(),
  onError: z.enum(['fail', 'reject', 'keep']).default('fail')
})
export type HttpSpec = z.infer<typeof HttpSpec>

/** Asks a service. Its spec is read and kept; this version cannot run it. */
export const readHttp = readerOf<HttpSpec>({
  kind: 'http',
  schema: HttpSpec,
  inputs: () => [oneInput('in')],
  outputs: () => ['out', 'rejected'],
  expressions: () => [],
  invalid: ({ template, request }) =>
    (template === undefined) === (request === undefined)
      ? [{ path: '', message: 'An HTTP node has a template or a request, one of them.' }]
      : [],
  notBuilt: () => [{ path: '', message: 'This version cannot run HTTP nodes yet.' }],
  compile: async () => undefined
})
