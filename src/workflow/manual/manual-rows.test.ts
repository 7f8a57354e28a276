import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCell } from './cell-text.ts'
import { readManualFile, toManualFile } from './manual-file.ts'
import {
  cellProblem,
  keptRows,
  MANUAL_LIMITS,
  MANUAL_TYPES,
  manualProblems,
  type ManualRows,
  type ManualType
} from './manual-rows.ts'

const fits: Readonly<Record<ManualType, readonly (readonly [string, string])[]>> = {
  text: [
    ['', ''],
    [' a ', ' a '],
    ['=1+1', '=1+1']
  ],
  integer: [
    ['9223372036854775807', '9223372036854775807'],
    ['-9223372036854775808', '-9223372036854775808'],
    [' +007 ', '7']
  ],
  number: [
    ['1e3', '1e3'],
    ['+.5', '.5'],
    ['-2.', '-2.']
  ],
  decimal: [
    ['1234567890123456789012345678.0123456789', '1234567890123456789012345678.0123456789'],
    ['1.00000000000000', '1.00000000000000'],
    ['-.5', '-.5']
  ],
  boolean: [
    ['TRUE', 'true'],
    [' false', 'false']
  ],
  date: [['2024-02-29', '2024-02-29']],
  time: [
    ['23:59', '23:59'],
    ['00:00:00.000001', '00:00:00.000001']
  ],
  timestamp: [
    ['2024-02-29T23:59', '2024-02-29 23:59'],
    ['2024-02-29 23:59:59.123456', '2024-02-29 23:59:59.123456']
  ],
  json: [
    ['{"a":12345678901234567890}', '{"a":12345678901234567890}'],
    ['null', 'null']
  ]
}
const refused: Readonly<Record<ManualType, readonly (readonly [string, RegExp])[]>> = {
  text: [['\ud800', /half a character/]],
  integer: [
    ['9223372036854775808', /64 bits/],
    ['1.0', /no whole number/],
    ['1,000', /nothing between thousands/],
    ['0x10', /no whole number/],
    ['', /empty text/]
  ],
  number: [
    ['1e999', /larger/],
    ['NaN', /no number/],
    ['1,5', /a point before the fraction/],
    ['.', /no number/]
  ],
  decimal: [
    ['0.12345678901', /behind the point/],
    ['12345678901234567890123456789', /before the point/],
    ['1e5', /no decimal/],
    ['.', /no decimal/]
  ],
  boolean: [
    ['yes', /neither true nor false/],
    ['1', /neither/]
  ],
  date: [
    ['2023-02-29', /calendar/],
    ['31.05.2024', /calendar/],
    ['2024-5-1', /calendar/]
  ],
  time: [
    ['24:00', /time of the day/],
    ['9:00', /time of the day/]
  ],
  timestamp: [
    ['2024-05-31', /timestamp/],
    ['2024-05-31 10:00Z', /time zone/],
    ['2024-05-31 10:00+02:00', /time zone/],
    ['2024-02-30 10:00', /timestamp/]
  ],
  json: [
    ['{a:1}', /no JSON/],
    ['hello', /double quotes/]
  ]
}

const typed = (type: ManualType, ...cells: readonly (string | null)[]): ManualRows => ({
  columns: [{ name: 'x', type }],
  rows: cells.map((cell) => [cell])
})
const column = (name: string) => ({ name, type: 'text' as const })

describe('a cell', () => {
  it.each(MANUAL_TYPES)('of type %s is kept in one form', (type) => {
    for (const [text, kept] of fits[type]) expect(readCell(type, text)).toEqual({ text: kept })
  })
  it.each(MANUAL_TYPES)('that is no %s is refused, saying what to do', (type) => {
    for (const [text, problem] of refused[type]) expect(cellProblem(type, text)).toMatch(problem)
  })
  it('that is NULL fits every type', () => {
    for (const type of MANUAL_TYPES) expect(cellProblem(type, null)).toBeNull()
  })
})

describe('rows typed by hand', () => {
  it('name the row and the column of what does not fit', () => {
    expect(manualProblems(typed('integer', '1', 'two'))).toEqual([
      { row: 1, column: 0, message: 'Row 2, column "x": "two" is no whole number.' }
    ])
    expect(manualProblems({ columns: [column('a'), column('b')], rows: [['1']] })[0]?.message).toBe(
      'Row 1 has 1 cells, but there are 2 columns.'
    )
  })
  it('have columns with names that can be told apart', () => {
    const message = (...names: string[]) =>
      manualProblems({ columns: names.map(column), rows: [] })[0]?.message ?? ''
    expect(message()).toMatch(/no columns/)
    expect(message('a', ' ')).toMatch(/Column 2 has no name/)
    expect(message('a', 'A')).toMatch(/Column 2 is called "A", as column 1/)
    expect(message(' a')).toMatch(/space/)
    expect(message('a\nb')).toMatch(/line break/)
    expect(message('a', 'b')).toBe('')
  })
  it('are bounded, in words', () => {
    const { rows, cell, columns, characters } = MANUAL_LIMITS
    const many = (count: number) => typed('text', ...Array.from({ length: count }, () => null))
    expect(manualProblems(many(rows))).toEqual([])
    expect(manualProblems(many(rows + 1))[0]?.message).toMatch(/10,001 rows; at most 10,000/)
    expect(manualProblems(typed('text', 'x'.repeat(cell)))).toEqual([])
    expect(manualProblems(typed('text', 'x'.repeat(cell + 1)))[0]?.message).toMatch(
      /Row 1, column "x".*10,001/
    )
    const wide = Array.from({ length: columns + 1 }, (_, at) => column(`c${at}`))
    expect(manualProblems({ columns: wide, rows: [] })[0]?.message).toMatch(/101 columns/)
    const full = Array.from({ length: characters / 8192 + 1 }, () => 'x'.repeat(8192))
    expect(manualProblems(typed('text', ...full))[0]?.message).toMatch(/characters together/)
  })
  it('come back from their file as they were, and NULL is not the empty text', () => {
    const cell = fc.option(fc.string({ unit: 'grapheme' }), { nil: null })
    fc.assert(
      fc.property(fc.array(fc.tuple(cell, cell)), (rows) => {
        const kept = { columns: [column('a'), column('__proto__')], rows }
        expect(readManualFile(toManualFile(kept))).toEqual(kept)
      })
    )
    expect(toManualFile(typed('text', ''))).not.toBe(toManualFile(typed('text', null)))
  })
  it('are kept in one form, however they were typed', () => {
    expect(keptRows(typed('integer', '+7', null)).rows).toEqual([['7'], [null]])
    expect(toManualFile(keptRows(typed('boolean', 'TRUE')))).toBe(toManualFile(typed('boolean', 'true')))
  })
})
