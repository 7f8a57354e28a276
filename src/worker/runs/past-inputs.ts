import { FlowForgeError } from '../../db/ports.ts'
import type { ManifestSource } from '../../workflow/run/run-manifest.ts'
import type { Catalog, CatalogSource } from '../catalog.ts'

/** What planning and running a workflow ask of the catalog. */
type ReadableCatalog = Pick<Catalog, 'find' | 'findSchema' | 'byName' | 'byId' | 'prepared'>

/**
 * The catalog as a past run saw it: its sources by the names that they had, each with the same bytes. Names that the
 * run did not read are not there.
 */
const catalogOfPast = (catalog: Catalog, sources: readonly ManifestSource[]): ReadableCatalog => {
  const asRead = async (past: ManifestSource): Promise<CatalogSource> => {
    const { dataSourceId, name, sha256 } = past
    const source = await catalog.asRead(dataSourceId, sha256).catch((cause: unknown) => {
      throw new FlowForgeError(
        'NOT_FOUND',
        `The run read "${name}", which is not in the catalog any more. Import the file again, and run the workflow anew.`,
        { dataSourceId },
        cause
      )
    })
    if (source !== undefined) return source
    const message = `"${name}" is not the file any more that the run read. Run the workflow anew.`
    throw new FlowForgeError('CONFLICT', message, { dataSourceId, expected: sha256 })
  }
  const byName = async (name: string): Promise<CatalogSource | undefined> => {
    const past = sources.find((source) => source.name === name)
    return past && asRead(past)
  }
  return {
    byId: async (dataSourceId) => {
      const past = sources.find((source) => source.dataSourceId === dataSourceId)
      return past === undefined ? catalog.byId(dataSourceId) : asRead(past)
    },
    prepared: catalog.prepared,
    findSchema: catalog.findSchema,
    byName,
    find: async (name, options) => {
      const source = await byName(name)
      return source && catalog.shapeOf(source, options)
    }
  }
}

/** The catalog as it is now, or as the past run saw it whose inputs are given. */
export const catalogFor = (
  catalog: Catalog,
  inputs: readonly ManifestSource[] | undefined
): ReadableCatalog & Partial<Pick<Catalog, 'findDataset'>> =>
  inputs === undefined ? catalog : catalogOfPast(catalog, inputs)
