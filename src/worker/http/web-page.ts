import Papa from 'papaparse'
import type { WebRequest } from '../../workflow/data-source/web-request.ts'
import { follow } from '../../workflow/http/json-pointer.ts'
import { isExactNumber } from '../engine/exact-number.ts'
import { parseJsonText } from '../engine/json-parsing.ts'
import { toJson } from '../engine/value-text.ts'
import { bodyText, type Body } from './answer-rows.ts'

/** A page's rows as text that can stand behind other pages'. */
export type WebPage = {
  readonly rows: number
  readonly text: string
  /** Of CSV: the names of its columns, as they are written. */
  readonly header: string | null
  readonly value: unknown
}
export type ReadPage =
  { readonly ok: true; readonly page: WebPage } | { readonly ok: false; readonly reason: string }

const isRow = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value)

const objects = (rows: readonly unknown[], value: unknown): ReadPage => {
  const odd = rows.findIndex((row) => !isRow(row))
  if (odd !== -1) return { ok: false, reason: `its row ${odd + 1} is no object.` }
  return { ok: true, page: { rows: rows.length, text: rows.map(toJson).join(',\n'), header: null, value } }
}

const readJson = (text: string, pointer: string): ReadPage => {
  const value = parseJsonText(text)
  const rows = follow(value, pointer)
  if (Array.isArray(rows)) return objects(rows, value)
  const where = pointer === '' ? 'it is' : `at "${pointer}" there is`
  const found = rows === undefined ? 'nothing' : rows === null ? 'null' : `a ${typeof rows}`
  return { ok: false, reason: `${where} no list of rows, but ${found}. Say where in it the rows stand.` }
}

const readCsv = (text: string): ReadPage => {
  const body = text.replace(/^\uFEFF/, '')
  const first = Papa.parse<string[]>(body, { preview: 1 })
  const header = body.slice(0, first.meta.cursor).replace(/[\r\n]+$/, '')
  const rest = body.slice(first.meta.cursor).replace(/^[\r\n]+|[\r\n]+$/g, '')
  if (header === '') return { ok: true, page: { rows: 0, text: '', header: null, value: undefined } }
  const rows = rest === '' ? 0 : Papa.parse(rest, { skipEmptyLines: true }).data.length
  return { ok: true, page: { rows, text: rest, header, value: undefined } }
}

/** Reads the rows of a page's answer. */
export const readPage = (body: Body, { format, rows }: Pick<WebRequest, 'format' | 'rows'>): ReadPage => {
  try {
    const text = bodyText(body)
    switch (format) {
      case 'json':
        return readJson(text, rows)
      case 'ndjson': {
        const lines = text.split('\n').filter((line) => line.trim() !== '')
        return objects(lines.map(parseJsonText), undefined)
      }
      case 'csv':
        return readCsv(text)
    }
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown)
    return { ok: false, reason: `it is not valid ${format.toUpperCase()} (${said}).` }
  }
}

/** All pages as one file. */
export const toFile = (pages: readonly WebPage[], format: WebRequest['format']): Blob => {
  const texts = pages.filter(({ rows }) => rows > 0).map(({ text }) => text)
  if (format !== 'csv')
    return new Blob(['[', ...texts.flatMap((text, at) => [at === 0 ? '\n' : ',\n', text]), '\n]\n'])
  const header = pages.find((page) => page.header !== null)?.header ?? ''
  return new Blob([header, ...texts.flatMap((text) => ['\n', text]), '\n'])
}
