import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { catalogAggregate } from '../workflow/catalog/catalog-item.ts'
import { toItemId, toVersionRowId, type CatalogItem } from '../workflow/catalog/catalog-item-state.ts'
import { toDatasetFile, type DatasetFile } from '../workflow/catalog/dataset.ts'
import type { ContentOf } from '../workflow/catalog/content.ts'
import type { AggregateStore } from './aggregate-store.ts'
import type { CatalogSource } from './catalog.ts'
import { readIndex } from './catalog-items/item-index.ts'

/** A dataset as it is now: its item, the item's newest version, and its rows where there are any. */
export type Dataset = {
  readonly itemId: string
  readonly latest: number
  readonly spec: ContentOf<'dataset'>['spec']
  readonly file: DatasetFile | undefined
}

/** The datasets of the catalog, and each version of their rows as something that can be read like a data source. */
export type Datasets = {
  readonly byName: (name: string) => Promise<Dataset | undefined>
  /** The rows of a version, also of a dataset that was removed since; of the newest where the id names none. */
  readonly sourceById: (id: string) => Promise<CatalogSource | undefined>
}

/** Is it the id of a dataset, or of a version of one, where a data source's id may stand? */
export const isDatasetId = (id: string): boolean => id.startsWith('catalog:')

/** A version's rows never change: its id means the same bytes for ever. */
export const toDatasetSource = (itemId: string, name: string, file: DatasetFile): CatalogSource => ({
  id: toVersionRowId(itemId, file.version),
  name,
  kind: 'file',
  config: {
    fileName: name,
    mediaType: 'application/vnd.apache.arrow.stream',
    size: file.bytes,
    sha256: file.sha256,
    blobKey: file.location,
    prepared: {
      reader: { type: 'arrow' },
      blobKey: file.location,
      columns: file.columns,
      rows: file.rows,
      notes: []
    }
  }
})

/** @throws FlowForgeError `CONFLICT`: a source names either by its name, so no two may have the same */
export const expectNoDataSource = async (tx: DbContext, name: string): Promise<void> => {
  const sql = 'SELECT 1 FROM data_sources WHERE name = ?'
  if ((await tx.projectionStore.query({ sql, params: [name] })).length === 0) return
  const message = `"${name}" is the name of a data source. Choose another name for the dataset.`
  throw new FlowForgeError('CONFLICT', message, { name })
}

const specOf = (state: CatalogItem, version: number): ContentOf<'dataset'>['spec'] | undefined => {
  const content = state.versions[version]?.content
  return content?.kind === 'dataset' ? content.spec : undefined
}

export const createDatasets = (context: DbContext, aggregates: Pick<AggregateStore, 'load'>): Datasets => ({
  byName: async (name) => {
    const [indexed] = await readIndex(context, { kind: 'dataset', name })
    if (indexed === undefined) return undefined
    const { itemId } = indexed
    const { state } = await aggregates.load(catalogAggregate, itemId)
    const spec = specOf(state, state.latest)
    return spec && { itemId, latest: state.latest, spec, file: toDatasetFile(spec) }
  },
  sourceById: async (id) => {
    const itemId = toItemId(id)
    const { state } = await aggregates.load(catalogAggregate, itemId)
    const spec = specOf(state, id === itemId ? state.latest : Number(id.slice(itemId.length + 1)))
    const file = spec && toDatasetFile(spec)
    return file && toDatasetSource(itemId, state.name, file)
  }
})
