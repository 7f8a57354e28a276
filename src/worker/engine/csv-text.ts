import type { Column } from '../../workflow/value-type.ts'
import type { CellValue } from './arrow-rows.ts'

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
export const hexText = (bytes: Uint8Array): string => Array.from(bytes, (byte) => HEX[byte]).join('')

const SPECIAL = /[",\n\r]/
/** What a reader may trim: ASCII's blanks and controls. Other whitespace is text like any other. */
const isBlank = (text: string, at: number): boolean => text.charCodeAt(at) <= 0x20
const needsQuotes = (text: string): boolean =>
  text === '' || isBlank(text, 0) || isBlank(text, text.length - 1) || SPECIAL.test(text)

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`

/** NULL is an empty cell and empty text a quoted one, so that the two stay apart; a lone NULL would be an empty line. */
export const csvCell = (value: CellValue, columns: number): string => {
  if (value === null) return columns === 1 ? '""' : ''
  if (typeof value === 'string') return needsQuotes(value) ? quoted(value) : value
  return value instanceof Uint8Array ? hexText(value) : String(value)
}

/** Signs that make a program take a cell for a formula; what was escaped before is escaped once more, so that each text stays apart. */
const FORMULA = /^'*[=+\-@\t\r]/
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** Would a spreadsheet run this text? A number such as -5 stays what it is. */
export const isFormula = (text: string): boolean => FORMULA.test(text) && !NUMBER.test(text)

/** The text that a spreadsheet shows and does not run. One apostrophe less gives back what it was. */
export const escapedFormula = (text: string): string => (isFormula(text) ? `'${text}` : text)

export const csvHeader = (columns: readonly Column[], escapes: boolean): string =>
  `${columns.map(({ name }) => csvCell(escapes ? escapedFormula(name) : name, columns.length)).join(',')}\n`
