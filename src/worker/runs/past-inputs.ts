import { FlowForgeError } from '../../db/ports.ts'
import type { ManifestSource } from '../../workflow/run/run-manifest.ts'
import type { Catalog, CatalogSource } from '../catalog.ts'

/**
 * The catalog as a past run saw it: its sources by the names that they had, each with the same bytes. Names that the
 * run did not read are not there.
 */
export const catalogOfPast = (
  catalog: Catalog,
  sources: readonly ManifestSource[]
): Pick<Catalog, 'find' | 'findSchema' | 'byName' | 'byId' | 'prepared'> => {
  const byName = async (name: string): Promise<CatalogSource | undefined> => {
    const past = sources.find((source) => source.name === name)
    if (past === undefined) return undefined
    const source = await catalog.byId(past.dataSourceId).catch((cause: unknown) => {
      throw new FlowForgeError(
        'NOT_FOUND',
        `The run read "${name}", which is not in the catalog any more. Import the file again, and run the workflow anew.`,
        { dataSourceId: past.dataSourceId },
        cause
      )
    })
    if (source.config.sha256 === past.sha256) return source
    throw new FlowForgeError(
      'CONFLICT',
      `"${name}" is not the file any more that the run read. Run the workflow anew.`,
      { expected: past.sha256, found: source.config.sha256 }
    )
  }
  return {
    byId: catalog.byId,
    prepared: catalog.prepared,
    findSchema: catalog.findSchema,
    byName,
    find: async (name, options) => {
      const source = await byName(name)
      return source && catalog.shapeOf(source, options)
    }
  }
}
