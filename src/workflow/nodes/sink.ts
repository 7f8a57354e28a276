import { z } from 'zod'
import { appendProblem } from '../catalog/dataset.ts'
import { quoteName } from '../sql-text.ts'
import { oneInput, readerOf } from './node-type.ts'

export const SINK_FORMATS = ['csv', 'xlsx', 'json', 'ndjson', 'parquet', 'arrow'] as const
export type SinkFormat = (typeof SINK_FORMATS)[number]

export const SinkSpec = z.strictObject({
  format: z.enum(SINK_FORMATS).optional(),
  fileName: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^/\\:*?"<>|\p{Cc}]+$/u, 'a file name without / \\ : * ? " < > |')
    .optional(),
  /** Of CSV: texts that a spreadsheet would run as formulas get an apostrophe before them (`escape`, the default), or not. */
  formulas: z.enum(['escape', 'keep']).optional(),
  dataset: z.strictObject({ name: z.string().min(1), mode: z.enum(['replace', 'append']) }).optional()
})
export type SinkSpec = z.infer<typeof SinkSpec>

/** The file that a sink writes; undefined for one that writes none. */
export const toSinkFile = (
  raw: unknown
):
  { readonly format: SinkFormat; readonly fileName: string; readonly keepsFormulas: boolean } | undefined => {
  const { format, fileName, formulas } = SinkSpec.safeParse(raw).data ?? {}
  return format === undefined || fileName === undefined
    ? undefined
    : { format, fileName, keepsFormulas: formulas === 'keep' }
}

/** The dataset that a sink writes; undefined for one that writes none. */
export const toSinkDataset = (raw: unknown): SinkSpec['dataset'] => SinkSpec.safeParse(raw).data?.dataset

/** Writes its rows to a file, or as a version of a dataset. */
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
  notBuilt: () => [],
  compile: async ({ dataset }, compiling) => {
    const [input] = compiling.input('in')
    if (input === undefined) return undefined
    if (dataset !== undefined) {
      const { name, mode } = dataset
      const there = await compiling.findDataset(name)
      if (there?.isDataSource === true) {
        const message = `"${name}" is the name of a data source. Choose another name for the dataset.`
        return compiling.report('.dataset.name', 'misfit', message)
      }
      const problem =
        mode === 'append' && there !== undefined && appendProblem(name, there.columns, input.columns)
      if (typeof problem === 'string') return compiling.report('.dataset', 'misfit', problem)
    }
    return {
      ports: { in: { sql: `SELECT * FROM ${quoteName(input.relation)}`, columns: input.columns } }
    }
  }
})
