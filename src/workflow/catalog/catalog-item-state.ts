import type { CatalogContent, CatalogKind } from './content.ts'

type Draft = CatalogContent | null

/** An item of the catalog with all its versions; plain JSON, as snapshots keep it. */
export type CatalogItem = {
  readonly status: 'none' | 'live' | 'removed'
  readonly kind: CatalogKind | null
  readonly name: string
  readonly description: string | null
  /** By version number. A published version never changes. */
  readonly versions: Readonly<Record<string, { readonly version: number; readonly content: CatalogContent }>>
  /** The highest version number given so far. */
  readonly latest: number
  readonly draft: Draft
  /** Drafts to go back to, the latest last; `redo` forward again. */
  readonly undo: readonly Draft[]
  readonly redo: readonly Draft[]
}

export const NO_CATALOG_ITEM: CatalogItem = {
  status: 'none',
  kind: null,
  name: '',
  description: null,
  versions: {},
  latest: 0,
  draft: null,
  undo: [],
  redo: []
}

/** Drafts that can be gone back to; older ones are forgotten, so that a state stays small enough to be snapshotted. */
export const DRAFT_UNDO_LIMIT = 50

/** The id of the row of one version, in the tables that have a row a version: `rule_sets`, `schemas`. */
export const toVersionRowId = (itemId: string, version: number): string => `${itemId}@${version}`

/** The item that a row's id is of, whether its table has a row an item or a row a version. */
export const toItemId = (rowId: string): string => rowId.replace(/@\d+$/, '')

/** The id of the row that names of this item in this version stand for. */
export const toRowId = (kind: CatalogKind, itemId: string, version: number): string =>
  kind === 'rule-set' || kind === 'schema' ? toVersionRowId(itemId, version) : itemId
