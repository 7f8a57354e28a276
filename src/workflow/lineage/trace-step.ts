import { cellName, readPivotOn } from '../nodes/pivot.ts'
import type { Step, StepOf } from '../nodes/transform-spec.ts'
import { sameName } from '../sql-text.ts'
import { AGGREGATION, distinctOrigins, IDENTITY, indirect, TRANSFORMATION } from './influence.ts'
import {
  decidingOrigins,
  expressionOrigins,
  findTraced,
  namesOf,
  originsOf,
  withRows,
  type Traced,
  type TracedColumn
} from './traced.ts'

const without = ({ columns }: Traced, names: readonly string[]): readonly TracedColumn[] =>
  columns.filter(({ name }) => !names.some((other) => sameName(other, name)))

const picked = (traced: Traced, names: readonly string[]): readonly TracedColumn[] =>
  names.flatMap((name) => findTraced(traced, name) ?? [])

const derive = (traced: Traced, { columns }: StepOf<'derive'>): Traced => {
  const derived = Object.entries(columns).map(([name, text]) => ({
    name,
    from: expressionOrigins(traced, text)
  }))
  const kept = traced.columns.map(
    (column) => derived.find(({ name }) => sameName(name, column.name)) ?? column
  )
  const added = derived.filter(({ name }) => findTraced(traced, name) === undefined)
  return { ...traced, columns: [...kept, ...added] }
}

const rename = (traced: Traced, { columns }: StepOf<'rename'>): Traced => ({
  ...traced,
  columns: traced.columns.map(({ name, from }) => {
    const to = Object.entries(columns).find(([old]) => sameName(old, name))?.[1]
    return { name: to ?? name, from }
  })
})

const cast = (traced: Traced, { columns }: StepOf<'cast'>): Traced => ({
  ...traced,
  columns: traced.columns.map(({ name, from }) => {
    const isCast = Object.keys(columns).some((other) => sameName(other, name))
    return { name, from: isCast ? originsOf(traced, [name], TRANSFORMATION) : from }
  })
})

const aggregate = (traced: Traced, { groupBy = [], columns = {} }: StepOf<'aggregate'>): Traced => ({
  columns: [
    ...picked(traced, groupBy),
    ...Object.entries(columns).map(([name, text]) => ({
      name,
      from: expressionOrigins(traced, text, AGGREGATION)
    }))
  ],
  rows: distinctOrigins([...traced.rows, ...originsOf(traced, groupBy, indirect('GROUP_BY'))])
})

const pivot = (traced: Traced, { on, using, groupBy = [] }: StepOf<'pivot'>): Traced => {
  const turned = readPivotOn(on)
  const aggregates = typeof using === 'string' ? [['', using] as const] : Object.entries(using)
  const cells = (turned?.values ?? []).flatMap((value) =>
    aggregates.map(([name, text]) => ({
      name: cellName(value.name, name),
      from: distinctOrigins([
        ...expressionOrigins(traced, text, AGGREGATION),
        ...originsOf(traced, [turned?.column ?? ''], indirect('CONDITIONAL'))
      ])
    }))
  )
  return {
    columns: [...picked(traced, groupBy), ...cells],
    rows: distinctOrigins([...traced.rows, ...originsOf(traced, groupBy, indirect('GROUP_BY'))])
  }
}

const unpivot = (traced: Traced, { columns, nameTo, valueTo }: StepOf<'unpivot'>): Traced => ({
  ...traced,
  columns: [
    ...without(traced, columns),
    // The column's own name: of no column's values.
    { name: nameTo, from: [] },
    { name: valueTo, from: originsOf(traced, columns, IDENTITY) }
  ]
})

/** What a step makes of columns whose origins are known; null for a query, which only the engine understands. */
export const traceStep = (traced: Traced, step: Step): Traced | null => {
  switch (step.op) {
    case 'filter':
      return withRows(traced, decidingOrigins(traced, step.where, 'FILTER'))
    case 'derive':
      return derive(traced, step)
    case 'select':
      return { ...traced, columns: picked(traced, step.columns) }
    case 'drop':
      return { ...traced, columns: without(traced, step.columns) }
    case 'rename':
      return rename(traced, step)
    case 'cast':
      return cast(traced, step)
    case 'aggregate':
      return aggregate(traced, step)
    case 'sort': {
      const keys = step.by.map(({ column }) => column)
      return withRows(traced, originsOf(traced, keys, indirect('SORT')))
    }
    case 'limit':
      return traced
    case 'distinct': {
      const by = step.by === undefined || step.by.length === 0 ? namesOf(traced) : step.by
      return withRows(traced, originsOf(traced, by, indirect('FILTER')))
    }
    case 'pivot':
      return pivot(traced, step)
    case 'unpivot':
      return unpivot(traced, step)
    // The inputs have been brought together before the first step.
    case 'union':
      return traced
    case 'sql':
    case 'operator':
      return null
  }
}

/** Rows of several inputs under each other, their columns matched by name. */
export const traceUnion = (inputs: readonly Traced[], isDistinct: boolean): Traced => {
  const columns: TracedColumn[] = []
  for (const column of inputs.flatMap((input) => input.columns)) {
    const at = columns.findIndex(({ name }) => sameName(name, column.name))
    const known = columns[at]
    if (known === undefined) columns.push(column)
    else columns[at] = { name: known.name, from: distinctOrigins([...known.from, ...column.from]) }
  }
  const traced = { columns, rows: distinctOrigins(inputs.flatMap(({ rows }) => rows)) }
  return isDistinct ? withRows(traced, originsOf(traced, namesOf(traced), indirect('FILTER'))) : traced
}
