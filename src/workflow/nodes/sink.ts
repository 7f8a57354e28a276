import { z } from 'zod'
import { quoteName } from '../sql-text.ts'
import { oneInput, readerOf } from './node-type.ts'

const FORMATS = ['csv', 'xlsx', 'json', 'ndjson', 'parquet', 'arrow'] as const
const BUILT = ['csv', 'xlsx', 'json'] as const
export type BuiltFormat = (typeof BUILT)[number]

export const SinkSpec = z.strictObject({
  format: z.enum(FORMATS).optional(),
  fileName: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^/\\:*?"<>|\p{Cc}]+$/u, 'a file name without / \\ : * ? " < > |')
    .optional(),
  dataset: z.strictObject({ name: z.string().min(1), mode: z.enum(['replace', 'append']) }).optional()
})
export type SinkSpec = z.infer<typeof SinkSpec>

/** The file that a sink of the current version writes; undefined for what it cannot write. */
export const toSinkFile = (
  raw: unknown
): { readonly format: BuiltFormat; readonly fileName: string } | undefined => {
  const spec = SinkSpec.safeParse(raw)
  const format = BUILT.find((built) => built === spec.data?.format)
  const fileName = spec.data?.fileName
  return format === undefined || fileName === undefined ? undefined : { format, fileName }
}

/** Writes its rows to a file. */
export const readSink = readerOf<SinkSpec>({
  kind: 'sink',
  schema: SinkSpec,
  inputs: () => [oneInput('in')],
  outputs: () => [],
  expressions: () => [],
  invalid: ({ format, fileName, dataset }) => {
    if (dataset !== undefined) {
      return format === undefined && fileName === undefined
        ? []
        : [{ path: '', message: 'A sink writes a file or a dataset, not both.' }]
    }
    return [
      ...(format === undefined ? [{ path: '.format', message: 'A sink needs a format.' }] : []),
      ...(fileName === undefined ? [{ path: '.fileName', message: 'A sink needs a file name.' }] : [])
    ]
  },
  notBuilt: ({ format, dataset }) => [
    ...(dataset === undefined
      ? []
      : [{ path: '.dataset', message: 'This version cannot write datasets yet.' }]),
    ...(format === undefined || BUILT.some((built) => built === format)
      ? []
      : [{ path: '.format', message: `This version cannot write ${format} yet; choose csv, xlsx or json.` }])
  ],
  compile: async (_, compiling) => {
    const [input] = compiling.input('in')
    if (input === undefined) return undefined
    return {
      ports: { in: { sql: `SELECT * FROM ${quoteName(input.relation)}`, columns: input.columns } }
    }
  }
})
