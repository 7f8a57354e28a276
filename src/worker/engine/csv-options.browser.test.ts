import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDbContext } from '../../db/index.ts'
import { IN_MEMORY, openTestEngine, type TestEngine } from './contract/test-engine.ts'

let engine: TestEngine
beforeAll(async () => {
  engine = openTestEngine(await openDbContext(IN_MEMORY))
}, 60_000)
afterAll(() => engine.close())

const rowsOf = async (content: string | Uint8Array<ArrayBuffer>, options: Record<string, unknown>) => {
  const source = await engine.prepare('told.csv', content, options)
  return { rows: await engine.rows(source), notes: source.notes, reader: source.reader }
}
const bytes = (...parts: readonly (string | number)[]): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'number' ? [part] : [...part].map((letter) => letter.charCodeAt(0))
    )
  )
const utf16 = (text: string, isLittle: boolean): Uint8Array<ArrayBuffer> => {
  const view = new DataView(new ArrayBuffer(text.length * 2))
  for (let at = 0; at < text.length; at += 1) view.setUint16(at * 2, text.charCodeAt(at), isLittle)
  return new Uint8Array(view.buffer)
}

test('cells are enclosed by the quote that was told', async () => {
  const text = `name,place\n'Smith, Ann',Rome\n'Lee, Bo',Oslo\n"odd,Bern\n`
  const { rows } = await rowsOf(text, { quote: `'` })
  expect(rows).toEqual([
    { name: 'Smith, Ann', place: 'Rome' },
    { name: 'Lee, Bo', place: 'Oslo' },
    { name: '"odd', place: 'Bern' }
  ])
})

test('nothing encloses a cell where that was told: a quote is a letter', async () => {
  const text = `size,item\n3",pipe\n5" wide,board\n`
  expect((await rowsOf(text, { quote: '' })).rows).toEqual([
    { size: '3"', item: 'pipe' },
    { size: '5" wide', item: 'board' }
  ])
})

test('a quote inside a cell stands behind the escape that was told', async () => {
  const text = `id,said\n1,"she said \\"yes\\", twice"\n2,"no"\n`
  const { rows, reader } = await rowsOf(text, { escape: '\\' })
  expect(rows).toEqual([
    { id: 1, said: 'she said "yes", twice' },
    { id: 2, said: 'no' }
  ])
  expect(reader).toMatchObject({ dialect: { quote: '"', escape: '\\' } })
})

test('an apostrophe at the end of a cell is no quote where others are in quotes', async () => {
  const text = `a,b,c\n"","",'\n"","",'\n"","",""\n`
  const { rows } = await rowsOf(text, { types: { a: 'text', b: 'text', c: 'text' }, header: true })
  expect(rows).toEqual([
    { a: '', b: '', c: `'` },
    { a: '', b: '', c: `'` },
    { a: '', b: '', c: '' }
  ])
})

test('quote and delimiter together, with numbers whose cells are enclosed', async () => {
  const text = `a;b\n'1';'x;y'\n'2';'z'\n`
  expect((await rowsOf(text, { delimiter: ';', quote: `'` })).rows).toEqual([
    { a: 1, b: 'x;y' },
    { a: 2, b: 'z' }
  ])
})

test('bytes become the letters of the encoding that was told', async () => {
  // Good UTF-8 as it happens, and meant as Windows-1252.
  const content = bytes('name\n', 0xc3, 0xa9, '\n')
  expect((await rowsOf(content, {})).rows).toEqual([{ name: 'é' }])
  const told = await rowsOf(content, { encoding: 'windows-1252' })
  expect(told.rows).toEqual([{ name: 'Ã©' }])
  expect(told.notes).toContain('Read as Windows-1252.')
  expect(told.reader).toMatchObject({ encoding: 'windows-1252' })
})

test.each([
  ['utf-16le', true],
  ['utf-16be', false]
] as const)('%s is read without a mark, where it was told, and with one', async (encoding, isLittle) => {
  const text = 'näme,n\nŁódź,1\n'
  for (const mark of ['', '\uFEFF']) {
    // oxlint-disable-next-line no-await-in-loop -- one engine
    const { rows } = await rowsOf(utf16(mark + text, isLittle), { encoding })
    expect(rows).toEqual([{ näme: 'Łódź', n: 1 }])
  }
})

test('a file that is not in the encoding that was told is refused, and nothing of it is kept', async () => {
  const content = bytes('name\n', 0xe9, 't', 0xe9, '\n')
  expect((await rowsOf(content, {})).rows).toEqual([{ name: 'été' }])
  await expect(rowsOf(content, { encoding: 'utf-8' })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('encoding that was chosen')
  })
})

test.each([
  [{ quote: '""' }, 'quote'],
  [{ quote: 'é' }, 'quote'],
  [{ escape: '' }, 'escape'],
  [{ encoding: 'latin-9' }, 'encoding'],
  [{ delimiter: ';', quote: ';' }, 'differ'],
  [{ delimiter: ',', escape: ',' }, 'differ']
])('%o is refused', async (options, word) => {
  await expect(rowsOf('a,b\n1,2\n', options)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining(word)
  })
})
