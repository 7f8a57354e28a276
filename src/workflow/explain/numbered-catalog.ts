import type { PlanCatalog } from '../plan.ts'
import { readRowSchema } from '../schema/json-schema.ts'
import type { Column } from '../value-type.ts'

/** The catalog as a plan sees it whose sources' rows have their number in a column `row`. */
export const numberedCatalog = (catalog: PlanCatalog, row: Column): PlanCatalog => ({
  findSchema: async (name, version) => {
    const found = await catalog.findSchema?.(name, version)
    const read = readRowSchema(found?.schema)
    if (found === undefined || !read.ok) return found
    // A schema that wants no other columns is told of ours.
    return { ...found, schema: { ...read.schema, properties: { ...read.schema.properties, [row.name]: {} } } }
  },
  find: async (name, options) => {
    const found = await catalog.find(name, options)
    if (found === undefined || 'unreadable' in found) return found
    return { ...found, columns: [...found.columns, row] }
  }
})
