import { WebRequest } from '../../workflow/data-source/web-request.ts'

/** The fields of the dialog, as they are typed. */
export type WebFields = {
  readonly url: string
  readonly name: string
  readonly format: WebRequest['format']
  readonly rows: string
  readonly paging: WebRequest['paging']['type']
  readonly parameter: string
  readonly pointer: string
  readonly first: string
  readonly most: string
  readonly headers: Readonly<Record<string, string>>
}

export const EMPTY_FIELDS: WebFields = {
  url: '',
  name: '',
  format: 'json',
  rows: '',
  paging: 'none',
  parameter: '',
  pointer: '',
  first: '1',
  most: '1000',
  headers: {}
}

export const FORMATS = [
  { value: 'json', label: 'JSON' },
  { value: 'ndjson', label: 'NDJSON (one object a line)' },
  { value: 'csv', label: 'CSV' }
] as const
export const PAGINGS = [
  { value: 'none', label: 'All in one answer' },
  { value: 'page', label: 'Page numbers' },
  { value: 'link-header', label: 'Link header (rel=next)' },
  { value: 'cursor', label: 'A cursor in the answer' }
] as const

const pagingOf = ({ paging, parameter, pointer, first }: WebFields) => {
  switch (paging) {
    case 'none':
    case 'link-header':
      return { type: paging }
    case 'cursor':
      return { type: paging, pointer: pointer.trim(), parameter: parameter.trim() }
    case 'page':
      return { type: paging, parameter: parameter.trim(), first: Number(first) }
  }
}

const FIELD_NAMES: Readonly<Record<string, string>> = {
  url: 'Address',
  rows: 'Rows',
  paging: 'Pages',
  limits: 'At most',
  headers: 'Headers'
}

/** What the fields ask for, or what is wrong with them. */
export const toWebRequest = (fields: WebFields): WebRequest | { readonly problem: string } => {
  const { url, format, rows, headers, most } = fields
  const parsed = WebRequest.safeParse({
    url: url.trim(),
    format,
    rows: format === 'json' ? rows.trim() : '',
    paging: pagingOf(fields),
    headers,
    limits: { pages: Number(most) }
  })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = FIELD_NAMES[String(issue?.path[0])] ?? ''
  return { problem: `${field}: ${issue?.message ?? 'not valid'}.` }
}
