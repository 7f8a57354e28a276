import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDbContext } from '../db/index.ts'
import type { DbContext } from '../db/ports.ts'
import { IN_MEMORY } from './engine/contract/test-engine.ts'
import { documentOf, startTestProgram, type TestProgram } from './runs/contract/test-program.ts'

/** Inches behind what looks like a closing quote: refused as found. */
const SIZES = 'size;item\n"3" x 4;pipe\n"5";board\n'
const AS_LETTERS = { quote: '' } as const

let context: DbContext
let program: TestProgram
beforeEach(async () => {
  const { newId: _, ...memory } = IN_MEMORY
  context = await openDbContext({ ...memory, newId: () => crypto.randomUUID() })
  program = await startTestProgram(context)
})
afterEach(() => program.close())

const sizes = (name = 'sizes.csv'): File => new File([SIZES], name)
const keptKeys = async (): Promise<string[]> => {
  const sql = `SELECT key FROM blobs WHERE key LIKE 'sources/%' OR key LIKE 'prepared/%'`
  return (await context.projectionStore.query({ sql })).map(({ key }) => String(key))
}
const utf16 = (text: string): Uint8Array<ArrayBuffer> => {
  const view = new DataView(new ArrayBuffer(text.length * 2))
  for (let at = 0; at < text.length; at += 1) view.setUint16(at * 2, text.charCodeAt(at), true)
  return new Uint8Array(view.buffer)
}

test('a file that is refused as found is imported with options, which are kept with it', async () => {
  const { sources } = program.flowforge
  await expect(sources.importFile({ file: sizes() })).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    details: { reason: 'quote', line: 2, mendableBy: 'csv-options' }
  })
  expect(await keptKeys()).toEqual([])
  const { dataSourceId } = await sources.importFile({ file: sizes(), options: AS_LETTERS })
  expect((await sources.preview({ dataSourceId })).rows).toEqual([
    { size: '"3" x 4', item: 'pipe' },
    { size: '"5"', item: 'board' }
  ])
  const sql = `SELECT config_json ->> '$.options' AS options FROM data_sources WHERE id = ?`
  const [row] = await context.projectionStore.query({ sql, params: [dataSourceId] })
  expect(row).toEqual({ options: JSON.stringify(AS_LETTERS) })
})

test('every reading starts from the options of the import, and those of a node win key by key', async () => {
  const { sources, workflows } = program.flowforge
  const { dataSourceId } = await sources.importFile({ file: sizes(), options: AS_LETTERS })
  const read = async (name: string, options?: Record<string, unknown>) => {
    const spec = { dataSource: 'sizes.csv', ...(options === undefined ? {} : { options }) }
    const nodes = [
      ['in', 'source', spec],
      ['out', 'sink', { format: 'csv', fileName: 'out.csv' }]
    ] as const
    const { workflowId } = await workflows.import(documentOf(name, nodes, [['in', 'out']]))
    const { runId, status, message } = await program.run({ workflowId })
    return status === 'succeeded' ? program.rows(runId, 'out') : message
  }
  const asAdded = [
    { size: '"3" x 4', item: 'pipe' },
    { size: '"5"', item: 'board' }
  ]
  expect(await read('As added')).toEqual(asAdded)
  // A node that says something else keeps the quote that the import was told.
  expect(await read('Header', { header: true, types: { item: 'text' } })).toEqual(asAdded)
  expect(await read('Delimiter', { delimiter: '|' })).toEqual([
    { 'size;item': '"3" x 4;pipe' },
    { 'size;item': '"5";board' }
  ])
  await expect(read('Quote', { quote: '"' })).rejects.toThrow('cannot be cut into columns this way')
  const profile = await sources.profile({ dataSourceId, options: { header: true } })
  expect(profile.columns.map(({ name }) => name)).toEqual(['size', 'item'])
})

test('the same bytes read otherwise are another data source; read the same way, the same one', async () => {
  const { sources } = program.flowforge
  const file = () => new File(['a;b,c\n1;2,3\n'], 'both.csv')
  const first = await sources.importFile({ file: file() })
  const second = await sources.importFile({ file: file(), options: { delimiter: ',' } })
  expect(second.name).toBe('both (2).csv')
  expect(await sources.importFile({ file: file() })).toEqual(first)
  expect(
    (await sources.preview({ dataSourceId: second.dataSourceId })).columns.map(({ name }) => name)
  ).toEqual(['a;b', 'c'])
  const third = { file: file(), name: 'third', options: { delimiter: ',', header: true } }
  const told = await sources.importFile(third)
  const { options, ...same } = third
  expect(
    await sources.importFile({ ...same, options: { header: true, delimiter: options.delimiter } })
  ).toEqual(told)
})

test('a try shows the first rows and how they were read, and keeps nothing; nor does one that fails', async () => {
  const { sources } = program.flowforge
  const file = new File([SIZES, ...Array.from({ length: 29 }, (_, at) => `"${at}" x;y\n`)], 'many.csv')
  const tried = await sources.tryFile({ file, options: { quote: '' } })
  expect(tried).toMatchObject({ total: 31, reader: { type: 'csv', dialect: { delimiter: ';', quote: '' } } })
  expect(await keptKeys()).toEqual([])
  expect(tried.rows).toHaveLength(20)
  expect(tried.rows[0]).toEqual({ size: '"3" x 4', item: 'pipe' })
  await expect(sources.tryFile({ file })).rejects.toMatchObject({ details: { mendableBy: 'csv-options' } })
  await expect(sources.tryFile({ file, options: { delimiter: ';', quote: ';' } })).rejects.toThrow('differ')
  expect(await keptKeys()).toEqual([])
})

test('a try takes the bytes of the same file from under nobody: it is read by one after the other', async () => {
  const { sources } = program.flowforge
  const order: string[] = []
  const named = (name: string): File => {
    const file = sizes()
    const stream = () => {
      order.push(`${name} begins`)
      return File.prototype.stream.call(file)
    }
    return Object.assign(file, { stream })
  }
  const options = AS_LETTERS
  await Promise.all([
    sources.tryFile({ file: named('a try'), options }).then(() => order.push('a try ends')),
    sources.importFile({ file: named('its import'), options }).then(() => order.push('its import ends')),
    sources.tryFile({ file: named('another'), options }).then(() => order.push('another ends'))
  ])
  expect(order).toEqual([
    'a try begins',
    'a try ends',
    'its import begins',
    'its import ends',
    'another begins',
    'another ends'
  ])
  expect(await keptKeys()).toHaveLength(1)
})

test('tries and imports of the same file at once leave each other their bytes', async () => {
  const { sources } = program.flowforge
  const asked = [
    sources.tryFile({ file: sizes(), options: AS_LETTERS }),
    sources.tryFile({ file: sizes(), options: { ...AS_LETTERS, encoding: 'windows-1252' } }),
    sources.importFile({ file: sizes(), options: AS_LETTERS }),
    sources.tryFile({ file: sizes(), options: { ...AS_LETTERS, delimiter: ',' } }),
    sources.importFile({ file: sizes('other.csv'), options: AS_LETTERS })
  ]
  const ended = await Promise.allSettled(asked)
  expect(ended.map(({ status }) => status)).toEqual(asked.map(() => 'fulfilled'))
  expect(await keptKeys()).toHaveLength(1)
})

test('only a refusal that options can help says so', async () => {
  const { sources } = program.flowforge
  const refusal = async (name: string, content: string | Uint8Array<ArrayBuffer>) =>
    sources.importFile({ file: new File([content], name) }).then(
      () => 'read',
      (error: { details: Record<string, unknown> }) => error.details['mendableBy']
    )
  expect(await refusal('ragged.csv', 'a,b\n1,2\n3,4,5\n')).toBe('csv-options')
  expect(await refusal('empty.csv', '')).toBeUndefined()
  expect(await refusal('paper.csv', '%PDF-1.7\n')).toBeUndefined()
  expect(await refusal('broken.json', '[{"a":')).toBeUndefined()
  expect(await refusal('zeros.json', '[{"a":"\u0000"}]')).toBeUndefined()
  expect(await refusal('book.xlsx', 'no zip')).toBeUndefined()
})

test('text in UTF-16 that shows itself by nothing is read where it was told', async () => {
  const { sources } = program.flowforge
  const file = new File([utf16('名前,数\n東京都千代田区,一\n大阪府大阪市北区,二\n')], 'names.csv')
  await expect(sources.importFile({ file })).rejects.toMatchObject({
    details: { reason: 'binary', mendableBy: 'csv-options' }
  })
  await expect(sources.importFile({ file, options: { encoding: 'utf-8' } })).rejects.toMatchObject({
    details: { reason: 'binary' }
  })
  const { dataSourceId } = await sources.importFile({ file, options: { encoding: 'utf-16le' } })
  expect((await sources.preview({ dataSourceId })).rows[0]).toEqual({ 名前: '東京都千代田区', 数: '一' })
})
