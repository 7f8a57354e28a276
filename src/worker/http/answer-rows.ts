import Papa from 'papaparse'
import type { AnswerColumn, RequestPlan } from '../../workflow/http/request.ts'
import { follow } from '../../workflow/http/json-pointer.ts'
import { parseJsonText } from '../engine/json-parsing.ts'
import { toJson, toText } from '../engine/value-text.ts'

/** An answer's body as it came. */
export type Body = { readonly bytes: Uint8Array<ArrayBuffer>; readonly contentType: string | null }

/** A row's values as text, in the order of the columns. */
export type AnswerValues = readonly (string | null)[]
export type ReadAnswer =
  | { readonly ok: true; readonly rows: readonly AnswerValues[] }
  | { readonly ok: false; readonly reason: string }

type Reading = Pick<RequestPlan, 'columns' | 'explode' | 'format'>

const unreadable = (reason: string): ReadAnswer => ({ ok: false, reason })

/** @throws TypeError where the bytes are no text of their charset, RangeError where nobody knows the charset */
export const bodyText = ({ bytes, contentType }: Body): string => {
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8'
  return new TextDecoder(charset, { fatal: true }).decode(bytes)
}

const isCsv = ({ format }: Reading, contentType: string | null): boolean =>
  format === null ? /\b(csv|tab-separated-values)\b/i.test(contentType ?? '') : format === 'csv'

/** CSV is read as a list of its rows, each an object of texts by the header's names. */
const parseCsv = (text: string): unknown[] => {
  const { data, errors, meta } = Papa.parse<Record<string, string>>(text, {
    header: true,
    skipEmptyLines: true
  })
  // With one column there is no delimiter to be found, and nothing wrong.
  const [error] = errors.filter(({ code }) => code !== 'UndetectableDelimiter')
  if (error !== undefined) throw new SyntaxError(`${error.message} (row ${(error.row ?? 0) + 1})`)
  return meta.fields === undefined ? [] : data
}

const cell = (value: unknown, { type }: AnswerColumn): string | null => {
  if (value === undefined || value === null) return null
  return type === 'json' ? toJson(value) : toText(value)
}

const rowOf = (value: unknown, columns: readonly AnswerColumn[]): AnswerValues =>
  columns.map((column) => cell(follow(value, column.pointer), column))

const kindOf = (value: unknown): string => (typeof value === 'object' ? 'an object' : `a ${typeof value}`)

/** The rows that an answer gives: one, or one for each element; where there is no element, one without values. */
export const readAnswer = (body: Body, reading: Reading): ReadAnswer => {
  const { columns, explode } = reading
  if (columns.length === 0 && explode === null) return { ok: true, rows: [[]] }
  const nothing: AnswerValues = columns.map(() => null)
  if (body.bytes.length === 0) return { ok: true, rows: [nothing] }
  const csv = isCsv(reading, body.contentType)
  let value: unknown
  try {
    const text = bodyText(body)
    value = csv ? parseCsv(text) : parseJsonText(text)
  } catch (thrown) {
    const said = thrown instanceof Error ? thrown.message : String(thrown)
    return unreadable(`it is not valid ${csv ? 'CSV' : 'JSON'} (${said}).`)
  }
  const list = explode ?? (csv ? '' : null)
  if (list === null) return { ok: true, rows: [rowOf(value, columns)] }
  const elements = follow(value, list)
  if (elements === undefined || elements === null) return { ok: true, rows: [nothing] }
  if (!Array.isArray(elements)) {
    return unreadable(`there is no list at "${list}" to give rows, but ${kindOf(elements)}.`)
  }
  if (elements.length === 0) return { ok: true, rows: [nothing] }
  return { ok: true, rows: elements.map((element: unknown) => rowOf(element, columns)) }
}
