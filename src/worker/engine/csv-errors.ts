import { FlowForgeError, toFlowForgeError } from '../../db/ports.ts'
import type { TextEncoding } from '../../workflow/data-source/csv-reading.ts'

/** Of a refusal: other options may read the file. */
export const MENDABLE = { mendableBy: 'csv-options' } as const

/** What DuckDB says when it stumbles over a line, taken apart. */
export type CsvComplaint =
  | { readonly kind: 'line-too-long'; readonly bytes: number }
  | { readonly kind: 'not-utf8' }
  | { readonly kind: 'conversion'; readonly line: number; readonly column: string; readonly value: string }
  | { readonly kind: 'ragged'; readonly line: number; readonly expected: number; readonly found: number }
  | { readonly kind: 'quote'; readonly line: number }
  | { readonly kind: 'other' }

const engineWords = (thrown: unknown): string => {
  const error = toFlowForgeError(thrown)
  const said = error.details['engine']
  return typeof said === 'string' ? said : error.message
}

const numberIn = (pattern: RegExp, text: string): number => Number(pattern.exec(text)?.[1] ?? 0)

export const csvComplaint = (thrown: unknown): CsvComplaint => {
  const said = engineWords(thrown)
  const line = numberIn(/CSV Error on Line: (\d+)/, said)
  if (/Maximum line size/i.test(said)) {
    return { kind: 'line-too-long', bytes: numberIn(/Actual Size: ?(\d+)/, said) }
  }
  if (/Invalid unicode|not utf-8 encoded/i.test(said)) return { kind: 'not-utf8' }
  const conversion =
    /Error when converting column "((?:[^"]|"")*)"\.(?: Could not convert string "([^]*?)" to ')?/.exec(said)
  if (conversion !== null) {
    return { kind: 'conversion', line, column: conversion[1] ?? '', value: conversion[2] ?? '' }
  }
  const widths = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(said)
  if (widths !== null) {
    return { kind: 'ragged', line, expected: Number(widths[1]), found: Number(widths[2]) }
  }
  if (/quote/i.test(said) && line > 0) return { kind: 'quote', line }
  return { kind: 'other' }
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** The failure of a whole file, as it is told to its owner. */
export const brokenCsv = (
  fileName: string,
  complaint: CsvComplaint,
  cause: unknown,
  toldEncoding?: TextEncoding
): FlowForgeError => {
  const refuse = (message: string, details: Record<string, unknown>): FlowForgeError =>
    new FlowForgeError('INVALID_INPUT', message, { fileName, ...MENDABLE, ...details }, cause)
  switch (complaint.kind) {
    case 'ragged': {
      const { line, expected, found } = complaint
      return refuse(
        `"${fileName}", line ${line}: ${plural(expected, 'column')} expected, ${found} found. Mend that line, or choose another delimiter.`,
        { line, reason: 'ragged', expected, found }
      )
    }
    case 'quote':
      return refuse(
        `"${fileName}", line ${complaint.line}: a quoted value does not end, or text stands behind its closing quote. Mend the quotes of that line, or choose what encloses cells.`,
        { line: complaint.line, reason: 'quote' }
      )
    case 'conversion': {
      const { line, column, value } = complaint
      return refuse(
        `"${fileName}", line ${line}: "${value.slice(0, 200)}" does not fit the type chosen for column "${column}".`,
        { line, reason: 'conversion', column }
      )
    }
    case 'line-too-long':
      // The engine guesses at a long line wherever it finds no way to cut a file; only one that it met has a size.
      if (complaint.bytes === 0) {
        return refuse(
          `"${fileName}" cannot be cut into columns this way. Choose another delimiter, or what encloses cells.`,
          { line: 1, reason: 'undetected' }
        )
      }
      return refuse(`"${fileName}" has a line of ${complaint.bytes} bytes, which is too long to be read.`, {
        line: 0,
        reason: 'line-too-long'
      })
    case 'not-utf8':
      return refuse(
        toldEncoding === undefined
          ? `"${fileName}" is not text in any encoding that can be told.`
          : `"${fileName}" is not in the encoding that was chosen for it. Choose another one, or let it be found.`,
        {
          line: 1,
          reason: 'encoding'
        }
      )
    case 'other': {
      const { code, message } = toFlowForgeError(cause)
      if (code !== 'INVALID_INPUT') return toFlowForgeError(cause)
      return refuse(`"${fileName}" cannot be read as a table: ${message}`, { line: 1, reason: 'unreadable' })
    }
  }
}
