import { expect, test } from 'vitest'
import type { ParameterDefinition } from './graph.ts'
import { parameterProblems } from './parameter-values.ts'

const problemOf = (type: ParameterDefinition['type'], value: string | number | boolean | null) =>
  parameterProblems({ p: { type } }, { p: value })[0]?.message

test.each([
  ['boolean', true],
  ['boolean', 'false'],
  ['integer', -3],
  ['integer', '9007199254740993'],
  ['number', 1.5],
  ['number', '-1e3'],
  ['text', ''],
  ['date', '2024-02-29'],
  ['timestamp', '2026-11-24'],
  ['timestamp', '2026-11-24T13:30:00.123Z'],
  ['timestamp', '2026-11-24 13:30'],
  ['timestamp', '2026-11-24T13:30:00+02:00']
] as const)('a %s may be %j', (type, value) => {
  expect(problemOf(type, value)).toBeUndefined()
  expect(problemOf(type, null)).toBeUndefined()
})

test.each([
  ['boolean', 'yes'],
  ['boolean', 1],
  ['integer', 1.5],
  ['integer', '1.0'],
  ['integer', 2 ** 53],
  ['integer', 'many'],
  ['integer', true],
  ['number', ''],
  ['number', '1,5'],
  ['number', Infinity],
  ['number', false],
  ['text', 5],
  ['date', '2026-02-30'],
  ['date', '24.11.2026'],
  ['date', '2026-11-24T10:00'],
  ['timestamp', '2026-11-24 25:00'],
  ['timestamp', 'now']
] as const)('a %s is not %j', (type, value) => {
  expect(problemOf(type, value)).toMatch(/^The parameter "p" must be /)
})

test('every problem is named, and what must be is shown', () => {
  expect(parameterProblems({ min: { type: 'integer' } }, { min: 'few', other: 1, constructor: 'x' })).toEqual(
    [
      { parameter: 'min', message: 'The parameter "min" must be a whole number, e.g. 15, not "few".' },
      { parameter: 'other', message: 'This workflow has no parameter "other".' },
      { parameter: 'constructor', message: 'This workflow has no parameter "constructor".' }
    ]
  )
})
