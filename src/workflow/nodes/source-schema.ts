import { readRowSchema, type RowSchema } from '../schema/json-schema.ts'
import { reasonSql, rowChecks } from '../schema/row-checks.ts'
import { ENGINE_TYPES, findColumn, quoteName, sameName } from '../sql-text.ts'
import type { SourceShape } from '../plan-types.ts'
import type { Compiling, Leaving } from './node-type.ts'

type Named = { readonly name: string; readonly version?: number | undefined }

/** The schema that a source names; undefined where a problem was reported. */
export const findRowSchema = async (
  { name, version }: Named,
  { findSchema, report }: Pick<Compiling, 'findSchema' | 'report'>
): Promise<RowSchema | undefined> => {
  const found = await findSchema(name, version)
  if (found === undefined) {
    const which = version === undefined ? `"${name}"` : `"${name}" in version ${version}`
    return report('.schema', 'unknown-source', `There is no schema ${which} in the catalog.`)
  }
  const read = readRowSchema(found.schema)
  if (read.ok) return read.schema
  for (const { path, message } of read.problems) {
    report(
      '.schema',
      'invalid',
      `The schema "${name}" at ${path === '' ? 'its root' : path.slice(1)}: ${message}`
    )
  }
  return undefined
}

/** `out`: the rows that hold, in the schema's types; `rejected`: the others as they were read, with `_reason`. */
export const checkedPorts = async (
  schema: RowSchema,
  { columns, untyped = false }: SourceShape,
  { describe, relationOf }: Compiling
): Promise<Readonly<Record<'out' | 'rejected', Leaving>> | undefined> => {
  const checks = rowChecks(schema, columns, untyped)
  const rows = relationOf('rows')
  const reason = reasonSql(checks)
  const replaced = checks.casts.flatMap(({ column, type }) => {
    const name = quoteName(findColumn(columns, column)?.name ?? column)
    return [`CAST(${name} AS ${ENGINE_TYPES[type]}) AS ${name}`]
  })
  const star = replaced.length === 0 ? '*' : `* REPLACE (${replaced.join(', ')})`
  const over = [{ relation: rows, columns }]
  const out = await describe(
    '.schema',
    `SELECT ${star} FROM ${quoteName(rows)} WHERE ${reason} IS NULL`,
    over
  )
  if (out === undefined) return undefined
  // What a file says of why its rows were rejected before gives way to why they are now.
  const kept = columns.filter(({ name }) => !sameName(name, '_reason')).map(({ name }) => quoteName(name))
  const rejected = await describe(
    '.schema',
    `SELECT * FROM (SELECT ${[...kept, `${reason} AS "_reason"`].join(', ')} FROM ${quoteName(rows)}) WHERE "_reason" IS NOT NULL`,
    over
  )
  return rejected && { out, rejected }
}
