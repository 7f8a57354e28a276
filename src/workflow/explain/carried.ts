import type { Graph } from '../graph.ts'

/** A row of a relation comes from a row of `input` where all these columns are equal, NULL to NULL; `from` null: NULL. */
export type Link = {
  readonly input: string
  readonly pairs: readonly { readonly of: string; readonly from: string | null }[]
  /** `row`: from one row. `group`: from all rows of a group. `unknown`: from any of them. */
  readonly kind: 'row' | 'group' | 'unknown'
}

/** A graph whose rows carry marks by which each finds the rows that it comes from. */
export type Carried = {
  readonly graph: Graph
  readonly links: ReadonlyMap<string, readonly Link[]>
  /** Conditions of edges that end at a node of our own here: the relation's id here, by the one that it has without marks. */
  readonly moved: ReadonlyMap<string, string>
  /** The column by which a source's rows are numbered, from 0: whoever provides the source adds it. */
  readonly rowColumn: string
  /** The beginning of every mark's name, which no other column has. */
  readonly prefix: string
}

/** A relation of the graph without marks, as it is called in the graph with them. */
export const carriedId = ({ moved }: Pick<Carried, 'moved'>, relation: string): string =>
  moved.get(relation) ?? relation

/** A relation of the graph with marks, as it is called in the graph without; of our own nodes' relations, what they read. */
export const originalId = (
  { moved, links }: Pick<Carried, 'moved' | 'links'>,
  relation: string,
  isOriginal: (id: string) => boolean
): string => {
  const original = [...moved].find(([, id]) => id === relation)?.[0] ?? relation
  const [link] = isOriginal(original) ? [] : (links.get(relation) ?? [])
  return link === undefined ? original : originalId({ moved, links }, link.input, isOriginal)
}

/** The mark that says of a row behind an outer join that it has a row of a side. It is never kept, as it numbers nothing. */
export const presenceMark = (prefix: string, joinId: string, side: string): string =>
  `${prefix}${joinId}::${side}`
/** Other marks have no two colons in a row. */
export const isPresenceMark = (name: string): boolean => name.includes('::')

/** A beginning that no column's name has. */
export const freePrefix = (names: readonly string[], wanted = '_from:'): string =>
  names.some((name) => name.toLowerCase().startsWith(wanted)) ? freePrefix(names, `_${wanted}`) : wanted
