import { didYouMean } from '../did-you-mean.ts'
import type { Parameters } from '../graph.ts'
import type { ProblemCode } from '../problem.ts'
import { KIND_NAMES, type CatalogContent, type CatalogKind, type ContentOf } from './content.ts'
import type { CatalogReference } from './references.ts'

/** One version of an item, as a run uses it. `sha256` is of its content. */
export type CatalogVersion = CatalogContent & {
  readonly itemId: string
  readonly name: string
  readonly version: number
  readonly sha256: string
}

/** What of the catalog a graph may name: everything that it does name, at least. */
export type CatalogItems = {
  /** Without a version the latest. Where there is the item but not the version, its newest. */
  find(
    kind: CatalogKind,
    name: string,
    version?: number
  ): CatalogVersion | { readonly newest: number } | undefined
  names(kind: CatalogKind): readonly string[]
}

/**
 * Where something of a resolved spec came from: a problem at a path that begins with `from` belongs to `to`. Moved with its
 * rest, or, where `item` says of whom it speaks, without.
 */
export type Moved = { readonly from: string; readonly to: string; readonly item?: string }

export type ResolvedSpec = {
  readonly spec: Readonly<Record<string, unknown>>
  readonly moved: readonly Moved[]
  /** Parameters for what arguments give. */
  readonly added: Parameters
}

/** What a node is resolved with; what it finds and misses is written down here. */
export type Resolving = {
  /** The item that is named, or undefined, which has been reported. */
  readonly use: <Kind extends CatalogKind>(
    kind: Kind,
    reference: Pick<CatalogReference, 'name' | 'version' | 'path'>
  ) => (CatalogVersion & ContentOf<Kind>) | undefined
  readonly report: (path: string, code: ProblemCode, message: string) => undefined
  readonly parameters: Parameters
}

export const isOfKind = <Kind extends CatalogKind>(
  item: CatalogVersion,
  kind: Kind
): item is CatalogVersion & ContentOf<Kind> => item.kind === kind

/** What is missing, for a person. */
export const missingMessage = (
  items: CatalogItems,
  kind: CatalogKind,
  { name, version }: Pick<CatalogReference, 'name' | 'version'>,
  found: { readonly newest: number } | undefined
): string =>
  found === undefined
    ? `There is no ${KIND_NAMES[kind]} "${name}" in the catalog.${didYouMean(name, items.names(kind)) || ' Create it there, or choose another.'}`
    : `The ${KIND_NAMES[kind]} "${name}" has no version ${version}; its newest is ${found.newest}. Choose one that is there.`
