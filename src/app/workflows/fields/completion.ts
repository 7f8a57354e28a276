import { AGGREGATE_FUNCTIONS, SCALAR_FUNCTIONS } from '../../../workflow/expression-functions.ts'
import { RUN_FUNCTIONS } from '../../../workflow/run-functions.ts'
import type { KnownColumn } from '../graph/transform-steps.ts'

export type Completion = { readonly text: string; readonly detail: string; readonly insert: string }

const scalarFunctions = [...SCALAR_FUNCTIONS, ...RUN_FUNCTIONS].toSorted()
const aggregateFunctions = [...AGGREGATE_FUNCTIONS].toSorted()

/** A name as an expression has to write it. */
export const quotedName = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/i.test(name) ? name : `"${name.replaceAll('"', '""')}"`

/** The word that ends at the caret: a name, a parameter, or an opened quoted name. */
export const wordBefore = (
  text: string,
  caret: number
): { readonly word: string; readonly start: number } => {
  const before = text.slice(0, caret)
  const quotes = before.match(/"/g)?.length ?? 0
  const opened = quotes % 2 === 1 ? before.slice(before.lastIndexOf('"')) : null
  const word = opened ?? /[$\p{L}_][\p{L}\p{N}_]*$/u.exec(before)?.[0] ?? ''
  return { word, start: caret - word.length }
}

/** What may stand where a word was begun: columns, then parameters, then functions. */
export const completionsFor = (
  word: string,
  columns: readonly KnownColumn[],
  parameters: readonly string[],
  aggregates: boolean
): readonly Completion[] => {
  const wanted = word.replace(/^"/, '').toLowerCase()
  if (wanted === '') return []
  const functions = aggregates ? [...aggregateFunctions, ...scalarFunctions] : scalarFunctions
  const all: Completion[] = [
    ...columns.map(({ name, type }) => ({ text: name, detail: type ?? 'column', insert: quotedName(name) })),
    ...parameters.map((name) => ({ text: `$${name}`, detail: 'parameter', insert: `$${name}` })),
    ...(word.startsWith('"')
      ? []
      : functions.map((name) => ({ text: `${name}()`, detail: 'function', insert: `${name}(` })))
  ]
  const starts = all.filter(({ text }) => text.toLowerCase().startsWith(wanted))
  const holds = all.filter(({ text, detail }) => detail !== 'function' && text.toLowerCase().includes(wanted))
  return [...new Set([...starts, ...holds])].filter(({ insert }) => insert !== word).slice(0, 8)
}
