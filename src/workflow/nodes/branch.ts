import { z } from 'zod'
import { quoteName } from '../sql-text.ts'
import { all, oneInput, readerOf } from './node-type.ts'
import { Expression, PortName } from './spec-parts.ts'

export const BranchSpec = z.strictObject({
  outputs: z.array(z.strictObject({ name: PortName, when: Expression.optional() })).min(1),
  mode: z.enum(['first', 'all']).default('first')
})
export type BranchSpec = z.infer<typeof BranchSpec>

/**
 * Sends rows different ways. `first`: a row leaves by the first output whose condition it meets; `all`: by each. The
 * last output may have no condition: it takes the rows that met none. A row that meets none otherwise goes nowhere.
 */
export const readBranch = readerOf<BranchSpec>({
  kind: 'branch',
  schema: BranchSpec,
  inputs: () => [oneInput('in')],
  outputs: ({ outputs }) => outputs.map(({ name }) => name),
  expressions: ({ outputs }) =>
    outputs.flatMap(({ when }, index) =>
      when === undefined ? [] : [{ path: `.outputs[${index}].when`, text: when, scope: 'scalar' }]
    ),
  invalid: ({ outputs }) =>
    outputs.flatMap(({ name, when }, index) => [
      ...(outputs.findIndex((other) => other.name === name) < index
        ? [{ path: `.outputs[${index}].name`, message: `There are two outputs "${name}".` }]
        : []),
      ...(when === undefined && index < outputs.length - 1
        ? [{ path: `.outputs[${index}]`, message: 'Only the last output may have no condition.' }]
        : [])
    ]),
  notBuilt: () => [],
  compile: async ({ outputs, mode }, compiling) => {
    const [input] = compiling.input('in')
    if (input === undefined) return undefined
    const conditions = await all(outputs, async ({ when }, index) => {
      if (when === undefined) return 'true'
      const sql = await compiling.condition(`.outputs[${index}].when`, when, input.columns)
      return sql && `coalesce(${sql}, false)`
    })
    if (conditions === undefined) return undefined
    const ports = await all(outputs, async ({ name, when }, index) => {
      const before = mode === 'first' || when === undefined ? conditions.slice(0, index) : []
      const own = [conditions[index] ?? 'true', ...before.map((condition) => `NOT ${condition}`)]
      const sql = `SELECT * FROM ${quoteName(input.relation)} WHERE ${own.join(' AND ')}`
      return [name, { sql, columns: input.columns }] as const
    })
    return ports && { ports: Object.fromEntries(ports) }
  }
})
