import { expect, test } from 'vitest'
import { columnDrift } from './drift.ts'
import { inferSchema } from './infer-schema.ts'
import { readRowSchema } from './json-schema.ts'

test('drift names what came, went and changed its type', () => {
  const before = [
    { name: 'origin', type: 'text' },
    { name: 'delay', type: 'integer' },
    { name: 'old', type: 'date' }
  ] as const
  const after = [
    { name: 'origin', type: 'integer' },
    { name: 'Delay', type: 'integer' },
    { name: 'x', type: 'text' }
  ] as const
  expect(columnDrift(before, after)).toEqual([
    '"origin": text → integer',
    'new column "x" (text)',
    'column "old" is gone'
  ])
  expect(columnDrift(before, before)).toEqual([])
})

test('an inferred schema can be checked, and asks for what was never missing', () => {
  const schema = inferSchema([
    { name: 'id', type: 'integer', engineType: 'BIGINT', nulls: 0 },
    { name: 'day', type: 'date', engineType: 'DATE', nulls: 2 },
    { name: 'list', type: 'json', engineType: 'VARCHAR', nulls: 0 }
  ])
  expect(schema.required).toEqual(['id', 'list'])
  expect(schema.properties?.['day']).toEqual({ type: 'string', format: 'date' })
  expect(readRowSchema(schema)).toMatchObject({ ok: true })
})
