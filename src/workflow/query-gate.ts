import { didYouMean } from './did-you-mean.ts'
import { parameterNames, type Inspected } from './expression.ts'
import {
  AGGREGATE_FUNCTIONS,
  BARE_FUNCTIONS,
  BEFORE_BRACKET,
  SCALAR_FUNCTIONS,
  WINDOW_FUNCTIONS
} from './expression-functions.ts'
import { lex, type Token } from './expression-lexer.ts'
import { RUN_FUNCTIONS, runFunctionProblem } from './run-functions.ts'

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const TABLE_FUNCTIONS = words('unnest range generate_series')
const CLAUSES = words(
  'exists over as on from join where having qualify using select except exclude replace columns rename within group ' +
    'materialized values limit offset lateral union intersect filter unnest order return'
)
const ENDS_FROM = words('where group having qualify window order limit offset union intersect except select')
const REFUSED = words(
  'table pivot unpivot pivot_longer pivot_wider describe show summarize tablesample insert update delete copy attach ' +
    'detach create drop alter install load pragma call export import checkpoint vacuum prepare execute into'
)

const isMark = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'mark' && token.value === value
const isWord = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'word' && token.value === value
const isNaming = (token: Token | undefined): token is Token =>
  token?.kind === 'word' || token?.kind === 'name'

/** Names before `AS (` or `AS MATERIALIZED (`: the query's own tables. Their columns are named inside, not in a list. */
const ownTables = (tokens: readonly Token[]): Set<string> => {
  const own = new Set<string>()
  for (const [at, token] of tokens.entries()) {
    const before = tokens[at - 1]
    const starts = isWord(before, 'with') || isWord(before, 'recursive') || isMark(before, ',')
    if (!starts || !isNaming(token) || !isWord(tokens[at + 1], 'as')) continue
    let next = at + 2
    while (isWord(tokens[next], 'not') || isWord(tokens[next], 'materialized')) next += 1
    if (isMark(tokens[next], '(')) own.add(token.value.toLowerCase())
  }
  return own
}

const tableProblem = (tokens: readonly Token[], at: number, own: ReadonlySet<string>): string | null => {
  const token = tokens[at]
  if (token === undefined) return 'A table is missing after FROM.'
  const name = token.value.toLowerCase()
  if (isNaming(token) && isMark(tokens[at + 1], '(')) {
    return TABLE_FUNCTIONS.has(name) ? null : `${token.value}() cannot be read from; only input can.`
  }
  if (isNaming(token) && !isMark(tokens[at + 1], '.') && (name === 'input' || own.has(name))) return null
  return `Only input can be read from, not ${token.kind === 'text' ? 'a file' : `"${token.value}"`}.`
}

/** Walks through FROM clauses: whatever stands where a table is named must be `input`, an own table or a bracket. */
const fromProblem = (tokens: readonly Token[]): string | null => {
  const own = ownTables(tokens)
  type Level = { inFrom: boolean; wantsTable: boolean; readonly call: string }
  let level: Level = { inFrom: false, wantsTable: false, call: '' }
  const outer: Level[] = []
  for (const [at, token] of tokens.entries()) {
    if (level.wantsTable && !isWord(token, 'lateral')) {
      level.wantsTable = false
      if (!isMark(token, '(')) {
        const message = tableProblem(tokens, at, own)
        if (message !== null) return message
      } else {
        const query = ['select', 'with', 'from', 'values'].some((word) => isWord(tokens[at + 1], word))
        outer.push(level)
        level = { inFrom: !query, wantsTable: !query, call: '' }
        continue
      }
    }
    if (token.kind === 'mark') {
      if ('([{'.includes(token.value)) {
        outer.push(level)
        const before = tokens[at - 1]
        level = { inFrom: false, wantsTable: false, call: before?.kind === 'word' ? before.value : '' }
      } else if (')]}'.includes(token.value)) level = outer.pop() ?? level
      else if (token.value === ',' && level.inFrom) level.wantsTable = true
      continue
    }
    if (token.kind !== 'word') continue
    if (token.value === 'from') {
      const scalar =
        isWord(tokens[at - 1], 'distinct') && ['is', 'not'].includes(tokens[at - 2]?.value ?? '')
          ? true
          : ['extract', 'trim', 'substring', 'overlay', 'position'].includes(level.call)
      if (!scalar) {
        level.inFrom = true
        level.wantsTable = true
      }
    } else if (token.value === 'join') level.wantsTable = true
    else if (ENDS_FROM.has(token.value)) level.inFrom = false
  }
  return level.wantsTable ? 'A table is missing after FROM.' : null
}

const tokenProblem = (tokens: readonly Token[], at: number): string | null => {
  const token = tokens[at]
  if (!isNaming(token)) return null
  const name = token.value.toLowerCase()
  if (BARE_FUNCTIONS.has(name)) return `${token.value} is not allowed: it changes from run to run.`
  if (token.kind === 'word' && REFUSED.has(name) && !isMark(tokens[at - 1], '.')) {
    return `${name.toUpperCase()} is not allowed: the step is one SELECT over input.`
  }
  if (name === 'sample' && isWord(tokens[at - 1], 'using'))
    return 'SAMPLE is not allowed: it changes from run to run.'
  if (!isMark(tokens[at + 1], '(')) return null
  if (RUN_FUNCTIONS.has(name)) return runFunctionProblem(tokens, at)
  const known = [SCALAR_FUNCTIONS, AGGREGATE_FUNCTIONS, WINDOW_FUNCTIONS, TABLE_FUNCTIONS]
  if (known.some((names) => names.has(name))) return null
  if (token.kind === 'word' && (BEFORE_BRACKET.has(name) || CLAUSES.has(name))) return null
  // An alias of a table with a list of its columns: FROM (…) AS t(a, b)
  if (isWord(tokens[at - 1], 'as') || isMark(tokens[at - 1], ')')) return null
  return `${token.value}() is not a function that a query may use.${didYouMean(name, [...SCALAR_FUNCTIONS, ...RUN_FUNCTIONS, ...AGGREGATE_FUNCTIONS])}`
}

/** The first gate of a `sql` step's query: one SELECT, over `input` and its own common tables alone. */
export const inspectQuery = (text: string): Inspected => {
  const lexed = lex(text)
  if (!lexed.ok) return lexed
  const { tokens } = lexed
  if (tokens.length === 0) return { ok: false, message: 'The query is empty.' }
  if (!isWord(tokens[0], 'select') && !isWord(tokens[0], 'with')) {
    return { ok: false, message: 'A query begins with SELECT or WITH.' }
  }
  for (const at of tokens.keys()) {
    const message = tokenProblem(tokens, at)
    if (message !== null) return { ok: false, message }
  }
  const message = fromProblem(tokens)
  return message === null ? { ok: true, parameters: parameterNames(tokens) } : { ok: false, message }
}
