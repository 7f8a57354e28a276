import type { Column, ValueType } from '../value-type.ts'

/** What JSON Schema says of a value of each type; dates and the like are text in a format. */
const TYPES: Readonly<Record<ValueType, Readonly<Record<string, unknown>>>> = {
  boolean: { type: ['boolean', 'null'] },
  integer: { type: ['integer', 'null'] },
  number: { type: ['number', 'null'] },
  decimal: { type: ['number', 'null'] },
  text: { type: ['string', 'null'] },
  date: { type: ['string', 'null'], format: 'date' },
  time: { type: ['string', 'null'], format: 'time' },
  timestamp: { type: ['string', 'null'], format: 'date-time' },
  json: {},
  bytes: { type: ['string', 'null'] }
}

/** A JSON Schema that rows of these columns fit: every column is there, and may be empty. */
export const schemaOfColumns = (
  columns: readonly Pick<Column, 'name' | 'type'>[]
): Record<string, unknown> => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: columns.map(({ name }) => name),
  properties: Object.fromEntries(columns.map(({ name, type }) => [name, TYPES[type]]))
})
