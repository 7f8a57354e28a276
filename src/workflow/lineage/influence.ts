/** How a column's values come into another column, in OpenLineage's words: its values are in it. */
export type DirectSubtype = 'IDENTITY' | 'TRANSFORMATION' | 'AGGREGATION'
/** Its values decide which rows there are, in which order, or which value is taken. */
export type IndirectSubtype = 'JOIN' | 'GROUP_BY' | 'FILTER' | 'SORT' | 'WINDOW' | 'CONDITIONAL'

export type Influence =
  | { readonly type: 'DIRECT'; readonly subtype: DirectSubtype }
  | { readonly type: 'INDIRECT'; readonly subtype: IndirectSubtype }

/** A column that another one depends on. `isKnown` is false where only "perhaps" can be said, as behind a query. */
export type Origin = {
  /** The relation that the column stands in. */
  readonly relation: string
  readonly column: string
  readonly influence: Influence
  readonly isKnown: boolean
}

export const IDENTITY: Influence = { type: 'DIRECT', subtype: 'IDENTITY' }
export const TRANSFORMATION: Influence = { type: 'DIRECT', subtype: 'TRANSFORMATION' }
export const AGGREGATION: Influence = { type: 'DIRECT', subtype: 'AGGREGATION' }
export const indirect = (subtype: IndirectSubtype): Influence => ({ type: 'INDIRECT', subtype })

const STRENGTH: readonly DirectSubtype[] = ['IDENTITY', 'TRANSFORMATION', 'AGGREGATION']

/** What an influence becomes when what it made influences something further on. */
const compose = (before: Influence, after: Influence): Influence => {
  if (after.type === 'INDIRECT') return after
  if (before.type === 'INDIRECT') return before
  return STRENGTH.indexOf(before.subtype) > STRENGTH.indexOf(after.subtype) ? before : after
}

const keyOf = ({ relation, column, influence, isKnown }: Origin): string =>
  JSON.stringify([relation, column, influence.type, influence.subtype, isKnown])

/** Each of them once, in the order in which they came. */
export const distinctOrigins = (origins: readonly Origin[]): readonly Origin[] => {
  const seen = new Map<string, Origin>()
  for (const origin of origins) if (!seen.has(keyOf(origin))) seen.set(keyOf(origin), origin)
  return [...seen.values()]
}

/** Origins of something that depends by `influence` on what these are the origins of. */
export const through = (origins: readonly Origin[], influence: Influence): readonly Origin[] =>
  distinctOrigins(origins.map((origin) => ({ ...origin, influence: compose(origin.influence, influence) })))
