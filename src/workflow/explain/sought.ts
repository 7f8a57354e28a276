import { columnLineage, stepLineage } from '../lineage/column-lineage.ts'
import { findTraced, type Traced } from '../lineage/traced.ts'
import { findColumn, quoteName, quoteText } from '../sql-text.ts'
import type { Column } from '../value-type.ts'
import type { ExplainPlan } from './explain-plan.ts'

/** A column of a key, and the columns of a relation of which any may hold its value. */
type SoughtKey = { readonly key: string; readonly columns: readonly string[] }

/** What rows with a key are known by. */
export type Sought = {
  /** By source: where rows are looked for. */
  readonly sources: ReadonlyMap<string, readonly SoughtKey[]>
  /** By relation: which of the rows on the way have the key, where not all do that come from a row which has it. */
  readonly onTheWay: ReadonlyMap<string, readonly SoughtKey[]>
}

const unchangedFrom = (traced: Traced | undefined, name: string) =>
  (traced === undefined ? [] : (findTraced(traced, name)?.from ?? [])).filter(
    ({ influence, isKnown }) => influence.subtype === 'IDENTITY' && isKnown
  )

/** For each relation before the target, the columns from which a column of it comes unchanged. */
const unchangedOnTheWay = (
  { unfolded, steps }: ExplainPlan,
  target: string,
  key: string
): ReadonlyMap<string, readonly string[]> => {
  const lineage = stepLineage(unfolded.graph, steps)
  const columns = new Map<string, readonly string[]>([[target, [key]]])
  for (const { id } of steps.relations.toReversed()) {
    for (const name of columns.get(id) ?? []) {
      for (const { relation, column } of unchangedFrom(lineage.get(id), name)) {
        if (relation === id) continue
        columns.set(relation, [...new Set([...(columns.get(relation) ?? []), column])])
      }
    }
  }
  return columns
}

const add = <T>(map: Map<string, readonly T[]>, name: string, value: T): void =>
  void map.set(name, [...(map.get(name) ?? []), value])

/**
 * A key's column is one of the result that comes unchanged from a source, or else one of a source by its own name. A text
 * says, for a person, why it cannot be looked for.
 */
export const findKey = (explained: ExplainPlan, target: string, keys: readonly string[]): Sought | string => {
  const { unfolded, steps } = explained
  const traced = columnLineage(unfolded.graph, steps).get(target)
  const read = steps.relations.filter(({ source }) => source !== null)
  const sources = new Map<string, readonly SoughtKey[]>()
  const onTheWay = new Map<string, readonly SoughtKey[]>()
  const joins = new Set(
    unfolded.graph.nodes.flatMap(({ id, kind }) => (kind === 'join' ? [`${id}.out`] : []))
  )
  for (const key of keys) {
    const unchanged = unchangedFrom(traced, key)
    const named = read.flatMap(({ id, columns }) => {
      const column = findColumn(columns, key)
      return column === undefined ? [] : [{ relation: id, column: column.name }]
    })
    const found = unchanged.length > 0 ? unchanged : named
    if (found.length === 0) {
      const isHere = traced !== undefined && (findTraced(traced, key)?.from ?? []).length > 0
      return isHere
        ? `"${key}" is computed: ask by columns that come unchanged from a source.`
        : `There is no column "${key}" here or in a source.`
    }
    const bySource = new Map<string, readonly string[]>()
    for (const { relation, column } of found) {
      bySource.set(relation, [...new Set([...(bySource.get(relation) ?? []), column])])
    }
    for (const [relation, columns] of bySource) add(sources, relation, { key, columns })
    if (unchanged.length === 0) continue
    // Of a row whose values stood in several columns, only some of what comes from it has the key; and what a row
    // brings to one side of a join it does not bring to the other.
    const isAnywhere = [...bySource.values()].some(({ length }) => length > 1)
    for (const [relation, columns] of unchangedOnTheWay(explained, target, key))
      if (isAnywhere || joins.has(relation)) add(onTheWay, relation, { key, columns })
  }
  // A source that has more of the key tells rows apart that another cannot.
  const most = Math.max(...[...sources.values()].map(({ length }) => length))
  return { sources: new Map([...sources].filter(([, { length }]) => length === most)), onTheWay }
}

/** The engine's variable that holds a key's value, as text. */
export const keyVariable = (key: string): string => `_key ${key}`

const INTEGER = /^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/

const hasValue = ({ name, engineType }: Column, value: string): string => {
  const column = `"_row".${quoteName(name)}`
  const cast = `TRY_CAST(${value} AS ${engineType})`
  // A cast rounds what is no integer.
  const isExact = INTEGER.test(engineType)
    ? ` AND TRY_CAST(${value} AS DOUBLE) = TRY_CAST(${cast} AS DOUBLE)`
    : ''
  // What is no value of the column's type is in none of its rows; NULL is looked for as NULL.
  return `(CASE WHEN ${value} IS NULL THEN ${column} IS NULL ELSE ${column} = ${cast}${isExact} END)`
}

/** True of a row, `"_row"`, that has the key. */
export const hasKey = (columns: readonly Column[], keys: readonly SoughtKey[]): string =>
  keys
    .map(({ key, columns: names }) => {
      const value = `getvariable(${quoteText(keyVariable(key))})`
      const any = names.flatMap((name) => {
        const column = findColumn(columns, name)
        return column === undefined ? [] : [hasValue(column, value)]
      })
      return any.length === 0 ? 'false' : `(${any.join(' OR ')})`
    })
    .join(' AND ')
