import type { Column } from '../../../workflow/value-type.ts'
import { asList, asRecord, asText, asTextList, asTextRecord } from './spec-reading.ts'

export const STEP_OPS = [
  'filter',
  'derive',
  'select',
  'drop',
  'rename',
  'cast',
  'aggregate',
  'sort',
  'limit',
  'distinct',
  'pivot',
  'unpivot',
  'union',
  'sql',
  'operator'
] as const
export type StepOp = (typeof STEP_OPS)[number]

export const isStepOp = (value: string): value is StepOp => STEP_OPS.some((op) => op === value)

export type Step = Readonly<Record<string, unknown>>

export const stepTexts: Readonly<Record<StepOp, { readonly label: string; readonly does: string }>> = {
  filter: { label: 'Filter', does: 'Keeps the rows that meet a condition' },
  derive: { label: 'Derive', does: 'Adds columns, or computes them anew' },
  select: { label: 'Select', does: 'Keeps these columns, in this order' },
  drop: { label: 'Drop', does: 'Leaves columns out' },
  rename: { label: 'Rename', does: 'Gives columns other names' },
  cast: { label: 'Cast', does: 'Gives columns other types' },
  aggregate: { label: 'Aggregate', does: 'One row for each group' },
  sort: { label: 'Sort', does: 'Orders the rows' },
  limit: { label: 'Limit', does: 'Keeps the first rows' },
  distinct: { label: 'Distinct', does: 'Keeps one of equal rows' },
  pivot: { label: 'Pivot', does: 'Turns values of a column into columns' },
  unpivot: { label: 'Unpivot', does: 'Turns columns into rows' },
  union: { label: 'Union', does: 'Puts the rows of all inputs under each other' },
  sql: { label: 'SQL', does: 'One SELECT over input' },
  operator: { label: 'Operator', does: 'A reusable piece of the catalog' }
}

export const firstStep = (op: StepOp): Step => {
  switch (op) {
    case 'filter':
      return { op, where: '' }
    case 'derive':
    case 'rename':
    case 'cast':
      return { op, columns: {} }
    case 'select':
    case 'drop':
      return { op, columns: [] }
    case 'aggregate':
      return { op, groupBy: [], columns: { rows: 'count(*)' } }
    case 'sort':
      return { op, by: [] }
    case 'limit':
      return { op, count: 100 }
    case 'distinct':
      return { op }
    case 'pivot':
      return { op, on: '', using: 'count(*)', groupBy: [] }
    case 'unpivot':
      return { op, columns: [], nameTo: 'name', valueTo: 'value' }
    case 'union':
      return { op, all: true }
    case 'sql':
      return { op, query: 'SELECT * FROM input' }
    case 'operator':
      return { op, name: '' }
  }
}

/** A column as far as the page can know it without asking: a type may be open. */
export type KnownColumn = { readonly name: string; readonly type: Column['type'] | null }

const typed = (columns: readonly KnownColumn[], name: string): KnownColumn =>
  columns.find((column) => column.name === name) ?? { name, type: null }

const put = (columns: readonly KnownColumn[], added: readonly KnownColumn[]): readonly KnownColumn[] => [
  ...columns.map((column) => added.find(({ name }) => name === column.name) ?? column),
  ...added.filter(({ name }) => !columns.some((column) => column.name === name))
]

/**
 * The columns that leave a step, for the pickers of the steps after it; `null` where only the engine can tell.
 * The check stays the judge: this only saves typing.
 */
export const columnsAfterStep = (
  columns: readonly KnownColumn[] | null,
  step: Step
): readonly KnownColumn[] | null => {
  const op = asText(step['op'])
  if (!isStepOp(op)) return null
  const names = asTextList(step['columns'])
  const named = asTextRecord(step['columns'])
  switch (op) {
    case 'filter':
    case 'sort':
    case 'limit':
    case 'distinct':
    case 'union':
      return columns
    case 'derive':
      return (
        columns &&
        put(
          columns,
          Object.keys(named).map((name) => ({ name, type: null }))
        )
      )
    case 'select':
      return names.map((name) => typed(columns ?? [], name))
    case 'drop':
      return columns && columns.filter(({ name }) => !names.includes(name))
    case 'rename':
      return columns && columns.map((column) => ({ ...column, name: named[column.name] ?? column.name }))
    case 'cast':
      return (
        columns &&
        put(
          columns,
          Object.keys(named).map((name) => ({ name, type: null }))
        )
      )
    case 'aggregate':
      return [
        ...asTextList(step['groupBy']).map((name) => typed(columns ?? [], name)),
        ...Object.keys(named).map((name) => ({ name, type: null }))
      ]
    case 'unpivot':
      return (
        columns && [
          ...columns.filter(({ name }) => !names.includes(name)),
          { name: asText(step['nameTo']), type: 'text' },
          { name: asText(step['valueTo']), type: null }
        ]
      )
    case 'pivot':
    case 'sql':
    case 'operator':
      return null
  }
}

/** The columns that reach the step at `index`. */
export const columnsBeforeStep = (
  columns: readonly KnownColumn[] | null,
  steps: readonly Step[],
  index: number
): readonly KnownColumn[] | null => steps.slice(0, index).reduce(columnsAfterStep, columns)

/** What a step does, in a line: for its head in the list, where its form is closed. */
export const stepSummary = (step: Step): string => {
  const named = Object.entries(asTextRecord(step['columns']))
  switch (asText(step['op'])) {
    case 'filter':
      return asText(step['where'])
    case 'sort':
      return asList(step['by'])
        .map(asRecord)
        .map(({ column, descending }) => asText(column) + (descending === true ? ' ↓' : ' ↑'))
        .join(', ')
    case 'limit':
      return asText(step['count'])
    case 'aggregate':
      return [asTextList(step['groupBy']).join(', '), named.map(([name]) => name).join(', ')].join(' → ')
    case 'sql':
      return asText(step['query'])
    case 'operator':
      return asText(step['name'])
    default:
      return Array.isArray(step['columns'])
        ? asTextList(step['columns']).join(', ')
        : named.map(([name, value]) => `${name}: ${value}`).join(', ')
  }
}
