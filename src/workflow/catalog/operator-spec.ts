import { z } from 'zod'
import { ColumnName, Expression, ExpressionByColumn } from '../nodes/spec-parts.ts'
import { Step } from '../nodes/transform-spec.ts'

/**
 * What a use of an operator gives it: a column's name, which stands quoted where the operator says `$name`, or a value,
 * which is bound.
 */
export const OperatorParameter = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, 'a letter or _, then letters, digits or _, at most 64'),
  type: z.enum(['column', 'boolean', 'integer', 'number', 'text', 'date', 'timestamp']),
  default: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  description: z.string().max(2_000).optional()
})
export type OperatorParameter = z.infer<typeof OperatorParameter>

const parameters = z.array(OperatorParameter).default([])

/** Steps in a row; neither a union, which is of a node's inputs, nor an operator within an operator. */
const OperatorSteps = z
  .array(
    Step.refine(({ op }) => op !== 'union' && op !== 'operator', {
      message: 'An operator is made of plain steps: no union, and no operator within an operator.'
    })
  )
  .min(1, 'add at least one step')

/** `when` is true of a row that is fine; `reason` says what is wrong with one that is not. */
const Check = z.strictObject({ when: Expression, reason: z.string().min(1).max(500) })

/**
 * A reusable piece of a transform.
 * - `transform`: its steps, one after the other.
 * - `validation`: adds the text column `column`, which holds the reasons of the checks that a row breaks, with `; ` between
 *   them, and NULL for a row that is fine. No row goes: a rule or branch behind it decides what becomes of them.
 * - `aggregate`: one aggregate step. `enricher`: columns that are computed for each row.
 */
export const OperatorSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('transform'), parameters, steps: OperatorSteps }),
  z.strictObject({
    kind: z.literal('validation'),
    parameters,
    checks: z.array(Check).min(1, 'add at least one check'),
    column: ColumnName.default('_problems')
  }),
  z.strictObject({
    kind: z.literal('aggregate'),
    parameters,
    groupBy: z.array(ColumnName).default([]),
    columns: ExpressionByColumn
  }),
  z.strictObject({ kind: z.literal('enricher'), parameters, columns: ExpressionByColumn })
])
export type OperatorSpec = z.infer<typeof OperatorSpec>
