import type { ValueType } from '../value-type.ts'

/** A column's value as a template takes it: its text, and what it is a text of; null where the row has none. */
export type TemplateValue = { readonly text: string; readonly type: ValueType } | null
/** A row's values by the column's name in lower case, as the engine compares names. */
export type TemplateRow = ReadonlyMap<string, TemplateValue>

/** What a template gives for a row, or why it gives nothing; `message` is for a person. */
export type Filled =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly message: string }

type Part = { readonly text: string } | { readonly column: string }

const HOLE = /\{\{\s*([^{}]*?)\s*\}\}/g

/** A template in its pieces: text, and `{{column}}`s. */
const partsOf = (template: string): readonly Part[] => {
  const parts: Part[] = []
  let end = 0
  for (const found of template.matchAll(HOLE)) {
    if (found.index > end) parts.push({ text: template.slice(end, found.index) })
    parts.push({ column: found[1] ?? '' })
    end = found.index + found[0].length
  }
  if (end < template.length) parts.push({ text: template.slice(end) })
  return parts
}

/** The columns that a template names, each once, as they are written in it. */
export const columnsOf = (template: string): readonly string[] => [
  ...new Set(partsOf(template).flatMap((part) => ('column' in part ? [part.column] : [])))
]

const filled = (text: string): Filled => ({ ok: true, text })
const refused = (message: string): Filled => ({ ok: false, message })

const fill = (
  template: string,
  row: TemplateRow,
  encode: (value: TemplateValue, column: string, before: string) => Filled
): Filled => {
  let text = ''
  for (const part of partsOf(template)) {
    if ('text' in part) text += part.text
    else {
      const value = encode(row.get(part.column.toLowerCase()) ?? null, part.column, text)
      if (!value.ok) return value
      text += value.text
    }
  }
  return filled(text)
}

const isWellFormed = (text: string): boolean =>
  !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text)

/** RFC 3986: only unreserved characters stand for themselves. */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`
  )

const brokenText = (column: string): Filled =>
  refused(`The value of "${column}" holds half a character and cannot be sent.`)

/** Whether what was written so far lies behind the `?` of an address. */
const inQuery = (before: string): boolean => before.includes('?')

/** A segment that address parsers take as a step in the path, however it is encoded. */
const isDotSegment = (segment: string): boolean => /^(\.|%2e){1,2}$/i.test(segment)

/**
 * A path with its query: a value is percent-encoded, so that it stays one segment or one parameter. In the path itself
 * a value that is empty, or a segment of one or two dots, would lead to another address and is refused.
 */
export const fillPath = (template: string, row: TemplateRow): Filled => {
  const path = fill(template, row, (value, column, before) => {
    if (value === null || value.text === '') {
      return inQuery(before)
        ? filled('')
        : refused(`"${column}" is empty in this row, and the address needs it.`)
    }
    return isWellFormed(value.text) ? filled(percentEncode(value.text)) : brokenText(column)
  })
  if (!path.ok) return path
  const own = template.replaceAll(HOLE, 'x').split(/[?#]/)[0]?.split('/') ?? []
  const segments = path.text.split(/[?#]/)[0]?.split('/') ?? []
  const step = segments.findIndex((segment, at) => isDotSegment(segment) && !isDotSegment(own[at] ?? ''))
  return step === -1 ? path : refused(`"${segments[step] ?? ''}" cannot be a part of an address.`)
}

/** A header's value: what would end its line, or stands for nothing in one, is refused. */
export const fillHeader = (template: string, row: TemplateRow): Filled => {
  const header = fill(template, row, (value) => filled(value?.text ?? ''))
  if (!header.ok) return header
  // oxlint-disable-next-line no-control-regex -- these are what must not be sent
  if (/[\r\n\u0000]/.test(header.text)) return refused('A header cannot hold a line break.')
  // oxlint-disable-next-line no-control-regex -- as above
  return /^[\t\u0020-\u007E\u0080-\u00FF]*$/.test(header.text)
    ? header
    : refused('A header can hold Latin letters, digits and signs alone.')
}

const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/** A value as JSON: numbers keep every digit, JSON stays what it is, everything else is text. */
const jsonOf = (value: TemplateValue): string => {
  if (value === null) return 'null'
  const { text, type } = value
  switch (type) {
    case 'boolean':
      return text === 'true' ? 'true' : 'false'
    case 'integer':
    case 'number':
    case 'decimal':
      // There is no word in JSON for NaN and the infinities.
      return JSON_NUMBER.test(text) ? text : JSON.stringify(text)
    case 'json':
      return isJson(text) ? text : JSON.stringify(text)
    case 'text':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'bytes':
      return JSON.stringify(text)
  }
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Does JSON written so far end inside a text? */
const endsInText = (json: string): boolean => {
  let inText = false
  for (let at = 0; at < json.length; at += 1) {
    if (json[at] === '\\' && inText) at += 1
    else if (json[at] === '"') inText = !inText
  }
  return inText
}

/** JSON written as text: inside quotes a value is escaped, elsewhere it is a whole JSON value. */
const fillJsonText = (template: string, row: TemplateRow): Filled => {
  const body = fill(template, row, (value, _column, before) =>
    filled(endsInText(before) ? JSON.stringify(value?.text ?? '').slice(1, -1) : jsonOf(value))
  )
  if (!body.ok || isJson(body.text)) return body
  return refused('The body is not valid JSON for this row.')
}

const wholeHole = (template: string): string | undefined => {
  const [only, ...others] = partsOf(template)
  return only !== undefined && 'column' in only && others.length === 0 ? only.column : undefined
}

/** A JSON value: a text that is nothing but `{{column}}` becomes the column's value, with its type. */
const jsonValue = (template: unknown, row: TemplateRow): string => {
  if (typeof template === 'string') {
    const column = wholeHole(template)
    if (column !== undefined) return jsonOf(row.get(column.toLowerCase()) ?? null)
    const text = fill(template, row, (value) => filled(value?.text ?? ''))
    return JSON.stringify(text.ok ? text.text : '')
  }
  if (Array.isArray(template)) return `[${template.map((item) => jsonValue(item, row)).join(',')}]`
  if (typeof template === 'object' && template !== null) {
    const members = Object.entries(template).map(
      ([key, value]) => `${JSON.stringify(key)}:${jsonValue(value, row)}`
    )
    return `{${members.join(',')}}`
  }
  return JSON.stringify(template) ?? 'null'
}

/** How a body's text is written; a body that is no text is JSON. */
export type BodyForm = 'json' | 'form' | 'text'

export const bodyForm = (contentType: string | undefined, body: unknown): BodyForm => {
  if (typeof body !== 'string') return 'json'
  if (contentType === undefined) return /^\s*[[{]/.test(body) ? 'json' : 'text'
  if (/\bjson\b/i.test(contentType)) return 'json'
  return /x-www-form-urlencoded/i.test(contentType) ? 'form' : 'text'
}

/** A body for a row. In a form a value is percent-encoded; in other text it stands as it is. */
export const fillBody = (body: unknown, row: TemplateRow, form: BodyForm): Filled => {
  if (typeof body !== 'string') return filled(jsonValue(body, row))
  switch (form) {
    case 'json':
      return fillJsonText(body, row)
    case 'form':
      return fill(body, row, (value, column) =>
        isWellFormed(value?.text ?? '') ? filled(percentEncode(value?.text ?? '')) : brokenText(column)
      )
    case 'text':
      return fill(body, row, (value) => filled(value?.text ?? ''))
  }
}

/** Columns that a body names, at any depth. */
export const columnsOfBody = (body: unknown): readonly string[] => {
  if (typeof body === 'string') return columnsOf(body)
  if (typeof body !== 'object' || body === null) return []
  return [...new Set(Object.values(body).flatMap(columnsOfBody))]
}
