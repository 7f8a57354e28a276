import type { Column, ValueType } from '../value-type.ts'
import type { PropertySchema, RowSchema } from './json-schema.ts'

const PROPERTIES: Readonly<Record<ValueType, PropertySchema>> = {
  boolean: { type: 'boolean' },
  integer: { type: 'integer' },
  number: { type: 'number' },
  decimal: { type: 'number' },
  text: { type: 'string' },
  date: { type: 'string', format: 'date' },
  time: { type: 'string', format: 'time' },
  timestamp: { type: 'string', format: 'date-time' },
  json: { type: ['object', 'array'] },
  bytes: { type: 'string' }
}

/** The schema that rows with these columns hold; a column without a missing value is required. */
export const inferSchema = (columns: readonly (Column & { readonly nulls: number })[]): RowSchema => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: Object.fromEntries(columns.map(({ name, type }) => [name, PROPERTIES[type]])),
  required: columns.filter(({ nulls }) => nulls === 0).map(({ name }) => name),
  additionalProperties: false
})
