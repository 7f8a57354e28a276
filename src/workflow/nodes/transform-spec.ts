import { z } from 'zod'
import { ValueType } from '../value-type.ts'
import { ColumnName, Expression, ExpressionByColumn } from './spec-parts.ts'

const Columns = z.array(ColumnName)
const Count = z.int().min(0)

export const Step = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('filter'), where: Expression }),
  z.strictObject({ op: z.literal('derive'), columns: ExpressionByColumn }),
  z.strictObject({ op: z.literal('select'), columns: Columns.min(1, 'choose at least one column') }),
  z.strictObject({ op: z.literal('drop'), columns: Columns }),
  z.strictObject({ op: z.literal('rename'), columns: z.record(ColumnName, ColumnName) }),
  z.strictObject({ op: z.literal('cast'), columns: z.record(ColumnName, ValueType) }),
  z.strictObject({
    op: z.literal('aggregate'),
    groupBy: Columns.optional(),
    columns: ExpressionByColumn.optional()
  }),
  z.strictObject({
    op: z.literal('sort'),
    by: z.array(z.strictObject({ column: ColumnName, descending: z.boolean().optional() }))
  }),
  z.strictObject({ op: z.literal('limit'), count: Count, offset: Count.optional() }),
  z.strictObject({ op: z.literal('distinct'), by: Columns.optional() }),
  /** `on`: a column and its values, `month IN ('jan', 'feb')`. `using`: one aggregate, or name → aggregate. */
  z.strictObject({
    op: z.literal('pivot'),
    on: z.string(),
    using: z.union([Expression, ExpressionByColumn]),
    groupBy: Columns.optional()
  }),
  z.strictObject({
    op: z.literal('unpivot'),
    columns: Columns.min(1, 'choose at least one column'),
    nameTo: ColumnName,
    valueTo: ColumnName
  }),
  z.strictObject({ op: z.literal('union'), all: z.boolean().optional() }),
  z.strictObject({ op: z.literal('sql'), query: Expression }),
  z.strictObject({
    op: z.literal('operator'),
    name: z.string().min(1),
    arguments: z.record(z.string(), z.unknown()).optional()
  })
])
export type Step = z.infer<typeof Step>
export type StepOf<Op extends Step['op']> = Extract<Step, { op: Op }>

export const TransformSpec = z.strictObject({ steps: z.array(Step) })
export type TransformSpec = z.infer<typeof TransformSpec>
