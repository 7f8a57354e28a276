import { z } from 'zod'
import { SourceOptions } from '../data-source/source-options.ts'
import { textColumns } from '../schema/row-checks.ts'
import { quoteName } from '../sql-text.ts'
import { readerOf } from './node-type.ts'
import { checkedPorts, findRowSchema } from './source-schema.ts'

export const SourceSpec = z.strictObject({
  dataSource: z.string().min(1, 'choose a data source'),
  options: SourceOptions.optional(),
  schema: z.strictObject({ name: z.string(), version: z.int().min(1).optional() }).optional()
})
export type SourceSpec = z.infer<typeof SourceSpec>

/** Rows of a data source. Those that break its schema leave by `rejected`; without a schema none can. */
export const readSource = readerOf<SourceSpec>({
  kind: 'source',
  schema: SourceSpec,
  inputs: () => [],
  outputs: () => ['out', 'rejected'],
  expressions: () => [],
  invalid: () => [],
  notBuilt: () => [],
  compile: async ({ dataSource, options: told = {}, schema: named }, compiling) => {
    const { findSource, report, describe, relationOf } = compiling
    const schema = named && (await findRowSchema(named, compiling))
    if (named !== undefined && schema === undefined) return undefined
    const first = await findSource(dataSource, told)
    const asText =
      first && schema && 'columns' in first && first.untyped === true
        ? textColumns(schema, first.columns)
        : []
    const types = { ...Object.fromEntries(asText.map((name) => [name, 'text'])), ...told.types }
    const options = asText.length === 0 ? told : { ...told, types }
    const source = asText.length === 0 ? first : await findSource(dataSource, options)
    if (source === undefined) {
      const message = `There is no data source "${dataSource}" in the catalog. Import the file, or choose another.`
      return report('.dataSource', 'unknown-source', message)
    }
    if ('unreadable' in source) {
      return source.isEmpty === true
        ? report('.dataSource', 'unknown-source', source.unreadable)
        : report('.options', 'invalid', source.unreadable)
    }
    const { columns } = source
    if (schema !== undefined) {
      const ports = await checkedPorts(schema, source, compiling)
      return ports && { source: { source, options, rows: columns }, ports }
    }
    const relation = relationOf('out')
    const sql = `SELECT *, CAST(NULL AS VARCHAR) AS "_reason" FROM ${quoteName(relation)} LIMIT 0`
    const rejected = await describe('', sql, [{ relation, columns }])
    if (rejected === undefined) return undefined
    return { source: { source, options }, ports: { out: { sql: '', columns }, rejected } }
  }
})
