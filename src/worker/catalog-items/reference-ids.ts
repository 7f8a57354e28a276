import type { DbContext } from '../../db/ports.ts'
import { catalogAggregate, type ReferenceIds } from '../../workflow/catalog/catalog-item.ts'
import { toRowId } from '../../workflow/catalog/catalog-item-state.ts'
import type { CatalogContent } from '../../workflow/catalog/content.ts'
import { contentReferences } from '../../workflow/catalog/references.ts'
import type { AggregateStore } from '../aggregate-store.ts'
import { readIndex } from './item-index.ts'

/** The rows that a content's names stand for now; those that are missing the item itself complains of. */
export const referencesOf = async (
  tx: DbContext,
  store: Pick<AggregateStore, 'load'>,
  content: CatalogContent
): Promise<ReferenceIds> => {
  const ids: Record<string, string> = {}
  for (const { slot, kind, name, version } of contentReferences(content)) {
    // oxlint-disable-next-line no-await-in-loop -- one transaction does one thing at a time
    const [item] = await readIndex(tx, { kind, name })
    if (item === undefined) continue
    // oxlint-disable-next-line no-await-in-loop -- the same
    const { state } = await store.load(catalogAggregate, item.itemId)
    const number = version ?? state.latest
    if (state.versions[number] !== undefined) ids[slot] = toRowId(kind, item.itemId, number)
  }
  return ids
}
