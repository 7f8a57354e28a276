import { didYouMean } from './did-you-mean.ts'
import {
  AGGREGATE_FUNCTIONS,
  BARE_FUNCTIONS,
  BEFORE_BRACKET,
  SCALAR_FUNCTIONS
} from './expression-functions.ts'
import { lex, type Token } from './expression-lexer.ts'
import type { Parameters } from './graph.ts'
import { RUN_FUNCTIONS, runFunctionProblem, runReplacements, runVariablesIn } from './run-functions.ts'
import { parameterSql } from './sql-text.ts'

/** What an expression stands for: a value of one row, or of a group of rows. */
export type Scope = 'scalar' | 'aggregate'
export type Inspected =
  | { readonly ok: true; readonly parameters: readonly string[] }
  | { readonly ok: false; readonly message: string }

/** Words that would make of an expression a query, a window or a star; each is reserved, so no bare column is called so. */
const REFUSED: ReadonlySet<string> = new Set(
  [
    'select with table pivot unpivot pivot_longer pivot_wider describe show summarize window union intersect except',
    'having qualify limit offset returning into using lateral create fetch where group on'
  ].flatMap((line) => line.split(' '))
)
const WITH_FROM: ReadonlySet<string> = new Set(['extract', 'trim', 'substring', 'overlay', 'position'])

const isMark = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'mark' && token.value === value

const isWord = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'word' && token.value === value

/** Does the word at a place begin the clause of an aggregate, `FILTER (WHERE`? */
const filters = (tokens: readonly Token[], at: number): boolean =>
  isMark(tokens[at - 1], '(') && isWord(tokens[at - 2], 'filter')

/** What a name before a bracket calls. */
const callProblem = (tokens: readonly Token[], at: number, scope: Scope): string | null => {
  const token = tokens[at]
  if (token === undefined || !isMark(tokens[at + 1], '(')) return null
  if (token.kind !== 'word' && token.kind !== 'name') return null
  const name = token.value.toLowerCase()
  if (SCALAR_FUNCTIONS.has(name)) return null
  if (RUN_FUNCTIONS.has(name)) return runFunctionProblem(tokens, at)
  if (token.kind === 'word' && BEFORE_BRACKET.has(name)) return null
  if (scope === 'aggregate' && (AGGREGATE_FUNCTIONS.has(name) || name === 'within')) return null
  // WITHIN GROUP (ORDER BY …)
  if (scope === 'aggregate' && name === 'group' && isWord(tokens[at - 1], 'within')) return null
  // FILTER (WHERE (…) AND …)
  if (scope === 'aggregate' && name === 'where' && filters(tokens, at)) return null
  if (AGGREGATE_FUNCTIONS.has(name)) {
    return `${name}() works on groups of rows; use it in an aggregate step.`
  }
  const scalar = [...SCALAR_FUNCTIONS, ...RUN_FUNCTIONS]
  const allowed = scope === 'aggregate' ? [...scalar, ...AGGREGATE_FUNCTIONS] : scalar
  return `${token.value}() is not a function that an expression may use.${didYouMean(name, allowed)}`
}

/** The name before each bracket that is open at a token, the innermost last. */
const openCalls = (tokens: readonly Token[], at: number): string[] => {
  const open: string[] = []
  for (const [index, token] of tokens.slice(0, at).entries()) {
    if (token.kind !== 'mark') continue
    const before = tokens[index - 1]
    if ('([{'.includes(token.value))
      open.push(token.value === '(' && before?.kind === 'word' ? before.value : '')
    if (')]}'.includes(token.value)) open.pop()
  }
  return open
}

const wordProblem = (tokens: readonly Token[], at: number, scope: Scope): string | null => {
  const token = tokens[at]
  if (token?.kind !== 'word') return null
  const before = tokens[at - 1]
  const { value } = token
  if (value === 'group' && scope === 'aggregate' && isWord(before, 'within')) return null
  if (value === 'where' && scope === 'aggregate' && filters(tokens, at)) return null
  if (REFUSED.has(value))
    return `${value.toUpperCase()} is not allowed: an expression is one value, not a query.`
  if (value === 'from') {
    const call = openCalls(tokens, at).at(-1) ?? ''
    const compared = isWord(before, 'distinct') && ['is', 'not'].includes(tokens[at - 2]?.value ?? '')
    return compared || WITH_FROM.has(call)
      ? null
      : 'FROM is not allowed: an expression is one value, not a query.'
  }
  if (value === 'values' && isMark(tokens[at + 1], '(')) return 'VALUES is not allowed in an expression.'
  if (value === 'exists' && isMark(tokens[at + 1], '(')) return 'EXISTS is not allowed in an expression.'
  if (value === 'over' && isMark(before, ')')) {
    return 'Windows (OVER) are not allowed in an expression; use a sql step.'
  }
  if (value === 'order' && !(scope === 'aggregate' && openCalls(tokens, at).length > 0)) {
    return 'ORDER is not allowed here.'
  }
  return null
}

const bareProblem = (token: Token): string | null =>
  (token.kind === 'word' || token.kind === 'name') && BARE_FUNCTIONS.has(token.value.toLowerCase())
    ? `${token.value} is not allowed: it changes from run to run. Rename the column if you mean one.`
    : null

/** `*` multiplies, or stands alone in `count(*)`. */
const starProblem = (tokens: readonly Token[], at: number): string | null => {
  if (!isMark(tokens[at], '*')) return null
  const before = tokens[at - 1]
  const counted = isWord(tokens[at - 2], 'count') && isMark(before, '(') && isMark(tokens[at + 1], ')')
  const multiplies =
    before !== undefined &&
    (before.kind !== 'mark' || ')]}*'.includes(before.value)) &&
    !(before.kind === 'word' && BEFORE_BRACKET.has(before.value))
  return counted || multiplies ? null : 'A * for all columns is not allowed in an expression.'
}

/**
 * The first gate of an expression, which needs no engine: is it balanced, does it name only functions that always give
 * the same answer, is it free of queries, and which parameters does it name?
 */
export const inspectExpression = (text: string, scope: Scope): Inspected => {
  const lexed = lex(text)
  if (!lexed.ok) return lexed
  const { tokens } = lexed
  if (tokens.length === 0) return { ok: false, message: 'The expression is empty.' }
  for (const [at, token] of tokens.entries()) {
    const message =
      wordProblem(tokens, at, scope) ??
      callProblem(tokens, at, scope) ??
      bareProblem(token) ??
      starProblem(tokens, at)
    if (message !== null) return { ok: false, message }
  }
  return { ok: true, parameters: parameterNames(tokens) }
}

export const parameterNames = (tokens: readonly Token[]): readonly string[] => [
  ...new Set(tokens.filter(({ kind }) => kind === 'parameter').map(({ value }) => value))
]

/** The variables of the engine's session that a text's calls of a run's functions read. */
export const runVariableNames = (text: string): readonly string[] => {
  const lexed = lex(text)
  return lexed.ok ? runVariablesIn(lexed.tokens) : []
}

/**
 * The text with each `$name` as a variable of the engine's session, cast to the parameter's type, and with a run's
 * functions over such variables: a value never stands in SQL. The text must have passed its gate; a name that is not
 * defined stays and fails in the engine.
 */
export const rewriteParameters = (text: string, parameters: Parameters): string => {
  const lexed = lex(text)
  if (!lexed.ok) return text
  const named = lexed.tokens.flatMap(({ kind, value, start, end }) => {
    const definition =
      kind === 'parameter' && Object.hasOwn(parameters, value) ? parameters[value] : undefined
    return definition === undefined ? [] : [{ start, end, text: parameterSql(value, definition) }]
  })
  return [...named, ...runReplacements(lexed.tokens)]
    .toSorted((a, b) => a.start - b.start)
    .reduceRight(
      (rewritten, { start, end, text: sql }) => rewritten.slice(0, start) + sql + rewritten.slice(end),
      text
    )
}
