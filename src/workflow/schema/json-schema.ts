import { z } from 'zod'
import { keyPath, type SpecProblem } from '../nodes/node-type.ts'

const JSON_TYPES = ['string', 'integer', 'number', 'boolean', 'null', 'object', 'array'] as const
const JsonType = z.enum(JSON_TYPES)
export type JsonType = z.infer<typeof JsonType>
const SCHEMA_FORMATS = ['date', 'date-time', 'time', 'email', 'uri', 'uuid'] as const
const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
export type Scalar = z.infer<typeof Scalar>
const Count = z.int().min(0)

/** Words that say something to a person and ask nothing of a row. */
const ANNOTATIONS = {
  title: z.unknown().optional(),
  description: z.unknown().optional(),
  default: z.unknown().optional(),
  examples: z.unknown().optional(),
  deprecated: z.unknown().optional(),
  readOnly: z.unknown().optional(),
  writeOnly: z.unknown().optional(),
  $comment: z.unknown().optional()
}

/** What a column's values must be. A value that is missing (NULL) breaks nothing but `required`. */
const PropertySchema = z.strictObject({
  ...ANNOTATIONS,
  type: z.union([JsonType, z.array(JsonType).min(1)]).optional(),
  enum: z.array(Scalar).min(1).optional(),
  const: Scalar.optional(),
  pattern: z.string().max(1_000).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  minLength: Count.optional(),
  maxLength: Count.optional(),
  format: z.enum(SCHEMA_FORMATS).optional()
})
export type PropertySchema = z.infer<typeof PropertySchema>

/** The part of JSON Schema that rows are checked against: an object, its members the columns. */
const RowSchema = z.strictObject({
  ...ANNOTATIONS,
  $schema: z.string().optional(),
  $id: z.string().optional(),
  type: z.literal('object').optional(),
  properties: z.record(z.string(), PropertySchema).optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.boolean().optional()
})
export type RowSchema = z.infer<typeof RowSchema>

const pathOf = (path: readonly PropertyKey[]): string =>
  path.map((part) => (typeof part === 'number' ? `[${part}]` : keyPath(String(part)))).join('')

/** Reads a schema, or says by its path what in it cannot be checked here: no keyword is passed over. */
export const readRowSchema = (
  raw: unknown
):
  | { readonly ok: true; readonly schema: RowSchema }
  | { readonly ok: false; readonly problems: SpecProblem[] } => {
  const parsed = RowSchema.safeParse(raw)
  if (parsed.success) return { ok: true, schema: parsed.data }
  return {
    ok: false,
    problems: parsed.error.issues.flatMap((issue): SpecProblem[] => {
      if (issue.code !== 'unrecognized_keys') return [{ path: pathOf(issue.path), message: issue.message }]
      return issue.keys.map((key) => ({
        path: pathOf([...issue.path, key]),
        message: `"${key}" cannot be checked here.`
      }))
    })
  }
}

/** The types that a property allows; none where any will do. */
export const typesOf = ({ type }: PropertySchema): readonly JsonType[] =>
  type === undefined ? [] : typeof type === 'string' ? [type] : type
