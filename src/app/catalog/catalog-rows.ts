import { computed, type ComputedRef } from 'vue'
import { z } from 'zod'
import { OperatorSpec, type OperatorParameter } from '../../workflow/catalog/operator-spec.ts'
import { CATALOG_KINDS, CatalogKind } from '../../workflow/catalog/content.ts'
import { CATALOG_TABLES } from '../../workflow/projections/catalog.ts'
import type { Row } from '../../worker/api.ts'
import { useLiveQuery, type LiveQuery } from '../useLiveQuery.ts'

const EntryRow = z.object({
  id: z.string(),
  kind: CatalogKind,
  name: z.string(),
  version: z.number().nullable()
})

export type CatalogRow = {
  readonly itemId: string
  readonly kind: CatalogKind
  readonly name: string
  /** Of kinds with a row a version, the newest. */
  readonly version: number | null
}

const rowsOf = (kind: CatalogKind): string => {
  const table = CATALOG_TABLES[kind]
  return kind === 'rule-set' || kind === 'schema'
    ? `SELECT id, '${kind}' AS kind, name, max(version) AS version FROM ${table}
       WHERE id LIKE 'catalog:%' GROUP BY name`
    : `SELECT id, '${kind}' AS kind, name, NULL AS version FROM ${table} WHERE id LIKE 'catalog:%'`
}

const toRow = (row: Row): CatalogRow => {
  const { id, ...entry } = EntryRow.parse(row)
  return { ...entry, itemId: id.replace(/@\d+$/, '') }
}

const ORDER = 'ORDER BY name COLLATE NOCASE, name'

/** Every item of the catalog, by name. */
export const useCatalogRows = (): LiveQuery<CatalogRow> =>
  useLiveQuery(`SELECT * FROM (${CATALOG_KINDS.map(rowsOf).join(' UNION ALL ')}) ${ORDER}`, [], toRow)

/** The items of one kind, to choose from. */
export const useItemsOfKind = (kind: CatalogKind): LiveQuery<CatalogRow> =>
  useLiveQuery(`SELECT * FROM (${rowsOf(kind)}) ${ORDER}`, [], toRow)

/** What the operator of a name takes, in its newest version. */
export const useOperatorParameters = (name: () => string): ComputedRef<readonly OperatorParameter[]> => {
  const { rows } = useLiveQuery('SELECT spec_json FROM operators WHERE name = ?', [name], (row) => {
    const spec: unknown = JSON.parse(String(row['spec_json']))
    return OperatorSpec.safeParse(spec).data?.parameters ?? []
  })
  return computed(() => rows.value[0] ?? [])
}
