import { sameName } from '../sql-text.ts'
import { namedColumns, onlyColumn, type NamedColumn } from './expression-columns.ts'
import {
  distinctOrigins,
  IDENTITY,
  indirect,
  through,
  TRANSFORMATION,
  type Influence,
  type Origin
} from './influence.ts'

export type TracedColumn = { readonly name: string; readonly from: readonly Origin[] }

/** Rows whose columns' origins are known; `rows` are the columns that decide which rows there are, and their order. */
export type Traced = {
  readonly columns: readonly TracedColumn[]
  readonly rows: readonly Origin[]
}

export const namesOf = ({ columns }: Traced): readonly string[] => columns.map(({ name }) => name)

export const findTraced = ({ columns }: Traced, name: string): TracedColumn | undefined =>
  columns.find((column) => sameName(column.name, name))

/** Origins of what depends by one influence on each of these columns. */
export const originsOf = (
  traced: Traced,
  names: readonly string[],
  influence: Influence
): readonly Origin[] =>
  distinctOrigins(names.flatMap((name) => through(findTraced(traced, name)?.from ?? [], influence)))

const influenceOf = (role: NamedColumn['role'], direct: Influence): Influence => {
  switch (role) {
    case 'value':
      return direct
    case 'condition':
      return indirect('CONDITIONAL')
    case 'filter':
      return indirect('FILTER')
    case 'sort':
      return indirect('SORT')
  }
}

/** Origins of an expression's value; `direct` is what becomes of the values in it. */
export const expressionOrigins = (
  traced: Traced,
  text: string,
  direct: Influence = TRANSFORMATION
): readonly Origin[] => {
  const names = namesOf(traced)
  const only = direct === TRANSFORMATION ? onlyColumn(text, names) : undefined
  if (only !== undefined) return originsOf(traced, [only], IDENTITY)
  return distinctOrigins(
    namedColumns(text, names).flatMap(({ name, role }) =>
      originsOf(traced, [name], influenceOf(role, direct))
    )
  )
}

/** The columns that an expression names, as what decides about rows. */
export const decidingOrigins = (
  traced: Traced,
  text: string,
  subtype: Extract<Influence, { type: 'INDIRECT' }>['subtype']
): readonly Origin[] =>
  originsOf(
    traced,
    namedColumns(text, namesOf(traced)).map(({ name }) => name),
    indirect(subtype)
  )

export const withRows = (traced: Traced, rows: readonly Origin[]): Traced => ({
  ...traced,
  rows: distinctOrigins([...traced.rows, ...rows])
})

/** Columns of which only this can be said: any of what came in may be in them, or decide about rows. */
export const unknownColumns = (inputs: readonly Traced[], names: readonly string[]): Traced => {
  const any = inputs.flatMap(({ columns }) => columns).flatMap(({ from }) => from)
  const perhaps = (influence: Influence): readonly Origin[] =>
    through(any, influence).map((origin) => ({ ...origin, isKnown: false }))
  const values = distinctOrigins(perhaps(TRANSFORMATION))
  return {
    columns: names.map((name) => ({ name, from: values })),
    rows: distinctOrigins([...inputs.flatMap(({ rows }) => rows), ...perhaps(indirect('FILTER'))])
  }
}
