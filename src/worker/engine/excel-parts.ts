import { columnNumber } from './excel-range.ts'
import { readZipDirectory, zipEntryText } from './zip-directory.ts'

/** Of a cell, both from 0. */
export type Place = { readonly row: number; readonly column: number }

/** A cell whose formula ended in an error such as #N/A. */
export type ErrorCell = Place & { readonly error: string }

/** What the reader of rows does not tell of a workbook. */
export type SheetFacts = {
  /** Are its dates counted from 1904? */
  readonly is1904: boolean
  /** Is that said in a way that the reader of rows does not know? */
  readonly is1904Missed: boolean
  readonly errors: readonly ErrorCell[]
}

const attribute = (tag: string, name: string): string | undefined =>
  new RegExp(`(?:^|[\\s:])${name}\\s*=\\s*["']([^"']*)["']`).exec(tag)?.[1]

const tags = (xml: string, name: string): readonly string[] =>
  [...xml.matchAll(new RegExp(`<(?:\\w+:)?${name}(?=[\\s/>])([^>]*)>`, 'g'))].map(([, inside = '']) => inside)

/** Where a part lies that another one of `xl/` refers to. */
const pathOf = (target: string): string => (target.startsWith('/') ? target.slice(1) : `xl/${target}`)

const ERROR_CELL =
  /<(?:\w+:)?c\s([^>]*\bt=["']e["'][^>]*)>(?:(?!<\/(?:\w+:)?c>)[\s\S])*?<(?:\w+:)?v[^>]*>([^<]*)</g

const errorsIn = (xml: string): ErrorCell[] =>
  [...xml.matchAll(ERROR_CELL)].flatMap(([, inside = '', error = '']) => {
    const [, letters = '', row = ''] = /^([A-Z]+)(\d+)$/.exec(attribute(inside, 'r') ?? '') ?? []
    return letters === '' ? [] : [{ row: Number(row) - 1, column: columnNumber(letters), error }]
  })

/** A sheet's error cells, read a part at a time: its text may be longer than fits. */
const findErrors = async (text: ReadableStream<string>): Promise<ErrorCell[]> => {
  const errors: ErrorCell[] = []
  const reader = text.getReader()
  let rest = ''
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
    const { done, value = '' } = await reader.read()
    rest += value
    const end = done ? rest.length : rest.lastIndexOf('row>') + 4
    if (done || end >= 4) {
      for (const cell of errorsIn(rest.slice(0, end))) errors.push(cell)
      rest = rest.slice(end)
    }
    if (done) return errors
  }
}

const whole = async (text: ReadableStream<string>): Promise<string> => {
  let all = ''
  const reader = text.getReader()
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
    const { done, value = '' } = await reader.read()
    if (done) return all
    all += value
  }
}

/** Reads what a workbook says of its `index`-th sheet beside the rows. */
export const sheetFacts = async (blob: Blob, index: number): Promise<SheetFacts> => {
  const entries = (await readZipDirectory(blob)) ?? []
  const part = async (name: string): Promise<ReadableStream<string> | undefined> => {
    const entry = entries.find((each) => each.name === name)
    return entry && zipEntryText(blob, entry)
  }
  const textOf = async (name: string): Promise<string> => {
    const text = await part(name)
    return text === undefined ? '' : whole(text)
  }
  const workbook = await textOf('xl/workbook.xml')
  const date1904 = tags(workbook, 'workbookPr').map((tag) => attribute(tag, 'date1904') ?? '')
  const is1904 = date1904.some((value) => value === '1' || value === 'true')
  const id = attribute(tags(workbook, 'sheet')[index] ?? '', 'id')
  const relations = tags(await textOf('xl/_rels/workbook.xml.rels'), 'Relationship')
  const target = attribute(relations.find((tag) => attribute(tag, 'Id') === id) ?? '', 'Target')
  const sheet = target === undefined ? undefined : await part(pathOf(target))
  return {
    is1904,
    is1904Missed: is1904 && !date1904.includes('1'),
    errors: sheet === undefined ? [] : await findErrors(sheet)
  }
}
