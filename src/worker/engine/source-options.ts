import { z } from 'zod'
import { FlowForgeError } from '../../db/ports.ts'
import { csvOptions, marksDiffer } from '../../workflow/data-source/csv-reading.ts'
import { ValueType } from '../../workflow/value-type.ts'

const SourceOptions = z
  .object({
    ...csvOptions,
    sheet: z.string().optional(),
    range: z.string().max(32).optional(),
    table: z.string().optional(),
    query: z.string().max(100_000).optional(),
    types: z.record(z.string(), ValueType).optional()
  })
  .superRefine(marksDiffer)

/** A source node's `options`, as far as reading a file goes. */
export type SourceOptions = z.infer<typeof SourceOptions>

export const parseSourceOptions = (options: Readonly<Record<string, unknown>> | undefined): SourceOptions => {
  const parsed = SourceOptions.safeParse(options ?? {})
  if (parsed.success) return parsed.data
  const { issues } = parsed.error
  const said = issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ')
  throw new FlowForgeError('INVALID_INPUT', `The options of this source are not valid. ${said}`, { issues })
}

/** @throws FlowForgeError `INVALID_INPUT` for a type that is given to a column that is not there */
export const checkTypedColumns = (
  fileName: string,
  names: readonly string[],
  types: SourceOptions['types'] = {}
): void => {
  const missing = Object.keys(types).find((name) => !names.includes(name))
  if (missing === undefined) return
  const message = `"${fileName}" has no column "${missing}", but the source's options give it a type. There are: ${names.join(', ')}.`
  throw new FlowForgeError('INVALID_INPUT', message, { fileName, column: missing, reason: 'unknown-column' })
}
