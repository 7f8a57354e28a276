import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MANUAL_LIMITS } from '../../../workflow/manual/manual-rows.ts'
import { readClipboard, writeClipboard } from './clipboard-table.ts'
import {
  cellsOf,
  emptyTable,
  fillBlock,
  firstRowAsHeader,
  guessTypes,
  insertColumn,
  insertRows,
  moveColumn,
  moveRows,
  putCells,
  removeColumn,
  removeRows,
  tooLarge,
  withoutEmptyEnd,
  type TypedTable
} from './typed-table.ts'

const block = (top: number, bottom: number, left = 0, right = 0) => ({ top, bottom, left, right })
const table = (...rows: (string | null)[][]): TypedTable => ({
  columns: (rows[0] ?? []).map((_, at) => ({ name: `c${at}`, type: 'text' })),
  rows
})
const letters = (...names: string[]): TypedTable => table(...names.map((name) => [name]))
const first = ({ rows }: TypedTable): string => rows.map(([cell]) => cell ?? '-').join('')

describe('the clipboard', () => {
  it('of a spreadsheet is cells: quoted ones hold tabs, line breaks and quotes', () => {
    expect(readClipboard('a\tb\r\n1\t\r\n')).toEqual([
      ['a', 'b'],
      ['1', null]
    ])
    expect(readClipboard('"a\tb"\t"x\ny"\n"say ""hi"""\t""')).toEqual([
      ['a\tb', 'x\ny'],
      ['say "hi"', '']
    ])
    expect(readClipboard('one\n\nthree')).toEqual([['one'], [null], ['three']])
    expect(readClipboard('')).toEqual([])
  })
  it('keeps quotes that stand around no whole cell', () => {
    expect(readClipboard('"5" nails\t6"\n"open')).toEqual([['"5" nails', '6"'], ['"open']])
  })
  it('gives back every cell that was copied', () => {
    const cell = fc.option(fc.string({ unit: fc.constantFrom('a', '"', '\t', '\n', '\r', ' ', '') }), {
      nil: null
    })
    const cells = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }))
      // A single empty cell at the very end is no line of its own.
      .filter((rows) => (rows.at(-1)?.length ?? 0) > 1 || rows.at(-1)?.[0] !== null)
    fc.assert(
      fc.property(cells, (rows) => {
        expect(readClipboard(writeClipboard(rows))).toEqual(rows)
      })
    )
  })
})

describe('a table that is typed', () => {
  it('begins with two columns and a few rows, and is saved without the empty ones', () => {
    expect(emptyTable()).toMatchObject({ columns: [{ name: 'column1' }, { name: 'column2' }] })
    expect(withoutEmptyEnd(emptyTable()).rows).toEqual([])
    expect(withoutEmptyEnd(letters('a', '', 'b')).rows).toHaveLength(3)
    expect(withoutEmptyEnd(table(['a'], [null], [''], [null])).rows).toEqual([['a'], [null], ['']])
  })
  it('grows for what is pasted', () => {
    const grown = putCells(table(['a']), { row: 1, column: 1 }, [['x', null], ['y']])
    expect(grown.columns.map(({ name }) => name)).toEqual(['c0', 'column2', 'column3'])
    expect(grown.rows).toEqual([
      ['a', null, null],
      [null, 'x', null],
      [null, 'y', null]
    ])
    expect(tooLarge({ row: MANUAL_LIMITS.rows - 1, column: 0 }, [['x']])).toBeNull()
    expect(tooLarge({ row: MANUAL_LIMITS.rows, column: 0 }, [['x']])).toMatch(/10,001 rows/)
  })
  it('moves, takes and gives rows and columns', () => {
    const abcd = letters('a', 'b', 'c', 'd')
    expect(first(moveRows(abcd, block(1, 2), -1))).toBe('bcad')
    expect(first(moveRows(abcd, block(1, 2), 1))).toBe('adbc')
    expect(moveRows(abcd, block(0, 1), -1)).toBe(abcd)
    expect(moveRows(abcd, block(2, 3), 1)).toBe(abcd)
    expect(first(removeRows(abcd, block(1, 2)))).toBe('ad')
    expect(first(insertRows(abcd, 1))).toBe('a-bcd')
    const two = table(['a', 'b'])
    expect(moveColumn(two, 0, 1)).toEqual({ columns: [two.columns[1], two.columns[0]], rows: [['b', 'a']] })
    expect(moveColumn(two, 1, 2)).toEqual(two)
    expect(insertColumn(two, 1).rows).toEqual([['a', null, 'b']])
    expect(removeColumn(two, 0).rows).toEqual([['b']])
    expect(fillBlock(two, block(0, 0, 0, 1), '').rows).toEqual([['', '']])
    expect(cellsOf(two, block(0, 0, 1, 1))).toEqual([['b']])
  })
  it('takes its header and its types from what was pasted only when asked', () => {
    const pasted = table(
      ['id', ' name ', 'code', 'when', 'big', 'ok', 'share', null],
      ['1', 'x', '007', '2024-05-31', '9007199254740993.5', 'TRUE', '0.5', null],
      [null, '2', '010', '2024-06-01', '1', 'false', '1e-3', null]
    )
    const { columns, rows } = firstRowAsHeader(pasted)
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'id integer',
      'name text',
      'code text',
      'when date',
      'big decimal',
      'ok boolean',
      'share number',
      'c7 text'
    ])
    expect(rows).toEqual(pasted.rows.slice(1))
    const chosen: TypedTable = { columns: [{ name: 'a', type: 'json' }], rows: [['1']] }
    expect(guessTypes(chosen)).toEqual(chosen)
  })
  it('never changes the table before an edit', () => {
    const before = letters('a', 'b')
    const copy = structuredClone(before)
    for (const edit of [
      () => putCells(before, { row: 0, column: 0 }, [['x']]),
      () => insertColumn(before, 0),
      () => moveRows(before, block(0, 0), 1),
      () => removeRows(before, block(0, 0))
    ]) {
      edit()
      expect(before).toEqual(copy)
    }
  })
})
