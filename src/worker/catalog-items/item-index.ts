import { z } from 'zod'
import type { DbContext } from '../../db/ports.ts'
import { toItemId } from '../../workflow/catalog/catalog-item-state.ts'
import { CATALOG_KINDS, CatalogKind } from '../../workflow/catalog/content.ts'
import { CATALOG_TABLES } from '../../workflow/projections/catalog.ts'

const IndexRow = z.object({ kind: CatalogKind, id: z.string(), name: z.string() })

/** An item as its rows tell of it; of those with a row a version, the newest's. */
export type IndexedItem = {
  readonly kind: CatalogKind
  readonly itemId: string
  readonly name: string
}

const hasRowAVersion = (kind: CatalogKind): boolean => kind === 'rule-set' || kind === 'schema'

/** Rows that a caller wrote without an event are no items: only what the log tells of has versions. */
const ownRow = (alias: string): string => `${alias}.id LIKE 'catalog:%'`

const newestOf = (kind: CatalogKind): string => {
  const table = CATALOG_TABLES[kind]
  const newest = hasRowAVersion(kind)
    ? ` AND NOT EXISTS (SELECT 1 FROM ${table} n WHERE n.name = t.name AND n.version > t.version AND ${ownRow('n')})`
    : ''
  return `SELECT '${kind}' AS kind, id, name FROM ${table} t WHERE ${ownRow('t')}${newest}`
}

const INDEX = CATALOG_KINDS.map(newestOf).join(' UNION ALL ')

/** Items by kind and name, as the tables of the catalog have them. */
export const readIndex = async (
  context: DbContext,
  { kind, name }: { kind?: CatalogKind | undefined; name?: string | undefined } = {}
): Promise<IndexedItem[]> => {
  const rows = await context.projectionStore.query({
    sql: `SELECT * FROM (${INDEX}) WHERE kind = coalesce(?1, kind) AND name = coalesce(?2, name) ORDER BY kind, name COLLATE NOCASE, name`,
    params: [kind ?? null, name ?? null]
  })
  return rows.map((row) => {
    const found = IndexRow.parse(row)
    return {
      kind: found.kind,
      itemId: toItemId(found.id),
      name: found.name
    }
  })
}
