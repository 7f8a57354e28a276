import type { ValueType } from '../../workflow/value-type.ts'

/** How a cell stands in a grid. `null` and empty text must never look alike. */
export type CellText = { readonly text: string; readonly tone: 'value' | 'null' | 'cut' }

/** What a grid's cell shows of a long text; the whole is one key press away. */
const SHOWN_CHARACTERS = 300

const isNumeric = (type: ValueType): boolean => type === 'integer' || type === 'number' || type === 'decimal'

/** Numbers stand at the right, so that their digits line up. */
export const cellAlign = (type: ValueType): 'left' | 'right' => (isNumeric(type) ? 'right' : 'left')

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** A value as text, whole: what is copied. NULL is empty. */
export const wholeText = (value: unknown, type: ValueType): string => {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return type === 'timestamp' ? value.replace('T', ' ') : value
  if (value instanceof Uint8Array) return hex(value)
  if (value instanceof Date) return value.toISOString().replace('T', ' ')
  if (typeof value === 'object') {
    return JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'bigint' ? inner.toString() : inner
    )
  }
  return String(value)
}

/** A value as one line of a grid. */
export const formatCell = (value: unknown, type: ValueType): CellText => {
  if (value === null || value === undefined) return { text: 'NULL', tone: 'null' }
  const whole = wholeText(value instanceof Uint8Array ? value.subarray(0, SHOWN_CHARACTERS) : value, type)
  const isCut = whole.length > SHOWN_CHARACTERS || /[\r\n]/.test(whole)
  const line = whole.slice(0, SHOWN_CHARACTERS).replaceAll(/\r\n|\r|\n/g, ' ⏎ ')
  return {
    text: whole.length > SHOWN_CHARACTERS ? `${line}…` : line,
    tone: isCut ? 'cut' : 'value'
  }
}

/** JSON is spread over lines where it is read alone. */
export const readableText = (value: unknown, type: ValueType): string => {
  const whole = wholeText(value, type)
  if (type !== 'json') return whole
  try {
    return JSON.stringify(JSON.parse(whole), null, 2)
  } catch {
    // A text that only claims to be JSON is shown as it is.
    return whole
  }
}
