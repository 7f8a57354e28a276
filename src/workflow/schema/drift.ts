import { findColumn } from '../sql-text.ts'
import type { Column } from '../value-type.ts'

type Known = Pick<Column, 'name' | 'type'>

/** How a source's columns differ from those that the last run read, in words; none where they do not. */
export const columnDrift = (before: readonly Known[], after: readonly Known[]): readonly string[] => {
  const asColumns = (known: readonly Known[]): Column[] => known.map((each) => ({ ...each, engineType: '' }))
  const old = asColumns(before)
  const now = asColumns(after)
  return [
    ...now.flatMap(({ name, type }) => {
      const known = findColumn(old, name)
      if (known === undefined) return [`new column "${name}" (${type})`]
      return known.type === type ? [] : [`"${name}": ${known.type} → ${type}`]
    }),
    ...old
      .filter(({ name }) => findColumn(now, name) === undefined)
      .map(({ name }) => `column "${name}" is gone`)
  ]
}
