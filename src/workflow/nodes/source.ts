import { z } from 'zod'
import { quoteName } from '../sql-text.ts'
import { ValueType } from '../value-type.ts'
import { readerOf } from './node-type.ts'

const SourceOptions = z.strictObject({
  delimiter: z.string().min(1).max(4).optional(),
  header: z.boolean().optional(),
  sheet: z.string().optional(),
  query: z.string().optional(),
  types: z.record(z.string(), ValueType).optional()
})

export const SourceSpec = z.strictObject({
  dataSource: z.string().min(1, 'choose a data source'),
  options: SourceOptions.optional(),
  schema: z.strictObject({ name: z.string(), version: z.int().min(1).optional() }).optional()
})
export type SourceSpec = z.infer<typeof SourceSpec>

/** Rows of a data source. Without a schema no row can break one: `rejected` is empty then. */
export const readSource = readerOf<SourceSpec>({
  kind: 'source',
  schema: SourceSpec,
  inputs: () => [],
  outputs: () => ['out', 'rejected'],
  expressions: () => [],
  invalid: () => [],
  notBuilt: (spec) => [
    ...(spec.schema === undefined
      ? []
      : [{ path: '.schema', message: 'This version cannot check rows against a schema yet.' }]),
    ...(spec.options?.query === undefined
      ? []
      : [{ path: '.options.query', message: 'This version cannot read database files yet.' }])
  ],
  compile: async ({ dataSource, options = {} }, { findSource, report, describe, relationOf }) => {
    const source = await findSource(dataSource, options)
    if (source === undefined) {
      const message = `There is no data source "${dataSource}" in the catalog. Import the file, or choose another.`
      return report('.dataSource', 'unknown-source', message)
    }
    if ('unreadable' in source) return report('.options', 'invalid', source.unreadable)
    const { columns } = source
    const relation = relationOf('out')
    const sql = `SELECT *, CAST(NULL AS VARCHAR) AS "_reason" FROM ${quoteName(relation)} LIMIT 0`
    const rejected = await describe('', sql, [{ relation, columns }])
    if (rejected === undefined) return undefined
    return { source: { source, options }, ports: { out: { sql: '', columns }, rejected } }
  }
})
