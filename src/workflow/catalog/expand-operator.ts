import type { Step } from '../nodes/transform-spec.ts'
import { quoteText } from '../sql-text.ts'
import type { BoundArguments } from './bind-arguments.ts'
import type { OperatorSpec } from './operator-spec.ts'

type Bound = Pick<BoundArguments, 'column' | 'text'>
type Texts = Readonly<Record<string, string>>

const fillTexts = (columns: Texts, { text }: Bound): Record<string, string> =>
  Object.fromEntries(Object.entries(columns).map(([name, expression]) => [name, text(expression)]))

/** With the columns that the keys of a record stand for. */
const fillKeys = <T>(columns: Readonly<Record<string, T>>, { column }: Bound): Record<string, T> =>
  Object.fromEntries(Object.entries(columns).map(([name, value]) => [column(name), value]))

const fillStep = (step: Step, bound: Bound): Step => {
  const names = (columns: readonly string[]): string[] => columns.map(bound.column)
  const grouping = ({ groupBy }: { readonly groupBy?: readonly string[] | undefined }) =>
    groupBy === undefined ? {} : { groupBy: names(groupBy) }
  switch (step.op) {
    case 'filter':
      return { ...step, where: bound.text(step.where) }
    case 'derive':
      return { ...step, columns: fillTexts(fillKeys(step.columns, bound), bound) }
    case 'select':
    case 'drop':
    case 'unpivot':
      return { ...step, columns: names(step.columns) }
    case 'rename':
    case 'cast':
      return step.op === 'rename'
        ? { ...step, columns: fillKeys(step.columns, bound) }
        : { ...step, columns: fillKeys(step.columns, bound) }
    case 'aggregate':
      return { ...step, ...grouping(step), columns: fillTexts(step.columns ?? {}, bound) }
    case 'sort':
      return { ...step, by: step.by.map((key) => ({ ...key, column: bound.column(key.column) })) }
    case 'distinct':
      return step.by === undefined ? step : { ...step, by: names(step.by) }
    case 'pivot':
      return {
        ...step,
        ...grouping(step),
        on: bound.text(step.on),
        using: typeof step.using === 'string' ? bound.text(step.using) : fillTexts(step.using, bound)
      }
    case 'sql':
      return { ...step, query: bound.text(step.query) }
    case 'limit':
    case 'union':
    case 'operator':
      return step
  }
}

/** The reasons of the checks that a row breaks, in their order; NULL where there is none. A check that is NULL is broken. */
const brokenChecks = (
  checks: Extract<OperatorSpec, { kind: 'validation' }>['checks'],
  { text }: Bound
): string => {
  const reasons = checks.map(
    ({ when, reason }) => `CASE WHEN coalesce((${text(when)}), false) THEN NULL ELSE ${quoteText(reason)} END`
  )
  return `nullif(concat_ws('; ', ${reasons.join(', ')}), '')`
}

/** The plain steps that an operator stands for, its arguments bound. */
export const expandOperator = (spec: OperatorSpec, bound: Bound): readonly Step[] => {
  switch (spec.kind) {
    case 'transform':
      return spec.steps.map((step) => fillStep(step, bound))
    case 'validation':
      return [{ op: 'derive', columns: { [bound.column(spec.column)]: brokenChecks(spec.checks, bound) } }]
    case 'aggregate':
      return [fillStep({ op: 'aggregate', groupBy: spec.groupBy, columns: spec.columns }, bound)]
    case 'enricher':
      return [fillStep({ op: 'derive', columns: spec.columns }, bound)]
  }
}
