import type { DbContext } from '../../db/ports.ts'
import { catalogAggregate } from '../../workflow/catalog/catalog-item.ts'
import type { CatalogItem } from '../../workflow/catalog/catalog-item-state.ts'
import { toContentText, type CatalogContent, type CatalogKind } from '../../workflow/catalog/content.ts'
import {
  contentReferences,
  nodeReferences,
  type CatalogReference
} from '../../workflow/catalog/references.ts'
import type { CatalogItems, CatalogVersion } from '../../workflow/catalog/resolve.ts'
import type { UsedItem } from '../../workflow/catalog/used-item.ts'
import type { Graph } from '../../workflow/graph.ts'
import type { AggregateStore } from '../aggregate-store.ts'
import { readIndex } from './item-index.ts'

const encoder = new TextEncoder()

/** The SHA-256 of a content, in hexadecimal: the same spec has the same hash, whatever its version's number. */
export const hashContent = async (content: CatalogContent): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', encoder.encode(toContentText(content)))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

type Item = { readonly itemId: string; readonly state: CatalogItem }

const versionOf = async (
  { itemId, state }: Item,
  asked: number | undefined
): Promise<CatalogVersion | { readonly newest: number }> => {
  const version = state.versions[asked ?? state.latest]
  if (version === undefined) return { newest: state.latest }
  const { content } = version
  return {
    ...content,
    itemId,
    name: state.name,
    version: version.version,
    sha256: await hashContent(content)
  }
}

/** Finds the items that graphs name. */
export type ItemVersions = {
  /** All that a graph names, and what that names, as `resolveGraph` asks for it. */
  forGraph(graph: Graph): Promise<CatalogItems>
  /** The items in the versions that a run used, whatever has become of them since. */
  ofRun(used: readonly UsedItem[]): Promise<CatalogItems>
}

const keyOf = (kind: CatalogKind, name: string, version: number | undefined): string =>
  JSON.stringify([kind, name, version ?? null])

export const createItemVersions = (
  context: DbContext,
  aggregates: Pick<AggregateStore, 'load'>
): ItemVersions => {
  const load = async (kind: CatalogKind, name: string): Promise<Item | undefined> => {
    const [indexed] = await readIndex(context, { kind, name })
    if (indexed === undefined) return undefined
    const { itemId } = indexed
    return { itemId, state: (await aggregates.load(catalogAggregate, itemId)).state }
  }

  const ofRun: ItemVersions['ofRun'] = async (used) => {
    const versions = new Map<string, CatalogVersion>()
    for (const { kind, itemId, name, version } of used) {
      // oxlint-disable-next-line no-await-in-loop -- few, and one database
      const { state } = await aggregates.load(catalogAggregate, itemId)
      // oxlint-disable-next-line no-await-in-loop -- the same
      const found = await versionOf({ itemId, state }, version)
      if (!('spec' in found)) continue
      versions.set(keyOf(kind, name, version), { ...found, name })
      // Who named none got the newest, and so the newest of those that were used.
      const unnamed = keyOf(kind, name, undefined)
      if (version >= (versions.get(unnamed)?.version ?? 0)) versions.set(unnamed, { ...found, name })
    }
    return { find: (kind, name, version) => versions.get(keyOf(kind, name, version)), names: () => [] }
  }

  return {
    ofRun,
    forGraph: async (graph) => {
      const found = new Map<string, CatalogVersion | { readonly newest: number } | undefined>()
      const open: CatalogReference[] = graph.nodes.flatMap(nodeReferences)
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        const { kind, name, version } = next
        const key = keyOf(kind, name, version)
        if (found.has(key)) continue
        // oxlint-disable-next-line no-await-in-loop -- what is found says what to look for next
        const item = await load(kind, name)
        // oxlint-disable-next-line no-await-in-loop -- the same
        const answer = item === undefined ? undefined : await versionOf(item, version)
        found.set(key, answer)
        if (answer !== undefined && 'spec' in answer) open.push(...contentReferences(answer))
      }
      const all = [...found.values()].includes(undefined) ? await readIndex(context) : []
      return {
        find: (kind, name, version) => found.get(keyOf(kind, name, version)),
        names: (kind) => all.filter((item) => item.kind === kind).map(({ name }) => name)
      }
    }
  }
}
