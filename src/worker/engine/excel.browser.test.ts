import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY, openTestEngine, type TestEngine } from './contract/test-engine.ts'
import { workbookOf } from './contract/workbook.ts'

let bed: TestEngine
beforeAll(async () => {
  bed = openTestEngine(await openDbContext(IN_MEMORY))
})
afterAll(() => bed.close())

const text = (at: string, value: string): string => `<c r="${at}" t="inlineStr"><is><t>${value}</t></is></c>`
const cell = (at: string, value: string, attributes = ''): string =>
  `<c r="${at}" ${attributes}><v>${value}</v></c>`
const read = async (file: Uint8Array<ArrayBuffer>, options?: Record<string, unknown>) => {
  const source = await bed.prepare('s.xlsx', file, options)
  return {
    types: source.columns.map(({ type }) => type),
    rows: await bed.rows(source),
    notes: source.notes.join(' ')
  }
}

describe('a sheet', () => {
  test('has the values that its formulas had when it was saved, and its booleans', async () => {
    const { types, rows } = await read(
      workbookOf([
        text('A1', 'sum') + text('B1', 'name') + text('C1', 'is'),
        `<c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c><c r="C2" t="b"><f>TRUE()</f><v>1</v></c>`,
        cell('A3', '3') + text('B3', 'c') + cell('C3', '0', 't="b"')
      ])
    )
    expect(types).toEqual(['integer', 'text', 'boolean'])
    expect(rows).toEqual([
      { sum: 2, name: 'ab', is: true },
      { sum: 3, name: 'c', is: false }
    ])
  })

  test('has nothing where a formula ended in an error, and says how often', async () => {
    const { types, rows, notes } = await read(
      workbookOf([
        text('A1', 'n'),
        cell('A2', '#N/A', 't="e"'),
        cell('A3', '7'),
        `<c r="A4" t="e"><f>1/0</f><v>#DIV/0!</v></c>`,
        cell('A5', '#N/A', 't="e"')
      ])
    )
    expect(types).toEqual(['integer'])
    expect(rows).toEqual([{ n: null }, { n: 7 }, { n: null }, { n: null }])
    expect(notes).toBe('3 cells with errors are empty: #N/A 2 times, #DIV/0! once.')
  })

  test('has its dates as Excel shows them, and as text those that Excel cannot have', async () => {
    const dates = (values: readonly string[]) =>
      workbookOf([text('A1', 'd'), ...values.map((value, at) => cell(`A${at + 2}`, value, 's="1"'))])
    const near = await read(dates(['1', '59', '61', '45322.4375']))
    expect(near.types).toEqual(['timestamp'])
    expect(near.rows.map(({ d }) => String(d).slice(0, 16))).toEqual([
      '1900-01-01T00:00',
      '1900-02-28T00:00',
      '1900-03-01T00:00',
      '2024-01-31T10:30'
    ])
    const far = await read(dates(['60', '-1', '0.5', '45322']))
    expect(far.types).toEqual(['text'])
    expect(far.rows.map(({ d }) => d)).toEqual(['1900-02-29', '1899-12-29', '12:00:00', '2024-01-31'])
    expect(far.notes).toContain('3 dates came as text: they lie before 1900')
  })

  test.each(['1', 'true'])('counts its dates from 1904 where it says so (%s)', async (date1904) => {
    const rows = [text('A1', 'd'), cell('A2', '0', 's="1"'), cell('A3', '43860', 's="1"')]
    const sheet = await read(workbookOf(rows, { date1904 }))
    expect(sheet.rows).toEqual([{ d: '1904-01-01' }, { d: '2024-01-31' }])
  })

  test('is read in part, with the errors and the header of that part', async () => {
    const sheet = workbookOf([
      text('A1', 'Report') + cell('C1', '#REF!', 't="e"'),
      text('B2', 'id') + text('C2', 'n') + text('D2', 'note'),
      cell('B3', '1') + cell('C3', '10'),
      cell('B4', '2') + cell('C4', '#N/A', 't="e"'),
      text('B5', 'Sum') + cell('C5', '10')
    ])
    const { rows, notes } = await read(sheet, { range: 'c4:$B$2' })
    expect(rows).toEqual([
      { id: 1, n: 10 },
      { id: 2, n: null }
    ])
    expect(notes).toBe('1 cell with an error is empty: #N/A once.')
    await expect(bed.prepare('s.xlsx', sheet, { range: 'B2-C4' })).rejects.toThrow('such as A1:F200')
    await expect(bed.prepare('s.xlsx', sheet, { range: 'X1:Y9' })).rejects.toThrow('range X1:Y9, is empty')
  })
})
