import type { Token } from './expression-lexer.ts'
import type { ParameterValues } from './graph.ts'

/** What a run's expressions take for now and for chance. A run that repeats another has the other's. */
export type RunMoment = {
  /** ISO 8601, in UTC. */
  readonly clock: string
  readonly seed: string
}

/** A part of a text, and what stands there instead. */
export type Replacement = { readonly start: number; readonly end: number; readonly text: string }

/** No parameter's name has a dot, so none of a workflow's is ever one of these. */
const VARIABLES = { run_time: 'run.time', run_date: 'run.date', run_random: 'run.seed' } as const
type RunFunction = keyof typeof VARIABLES

/** Functions that say what a run's manifest says: the same in every row and in every repetition of the run. */
export const RUN_FUNCTIONS: ReadonlySet<string> = new Set(Object.keys(VARIABLES))

const isRunFunction = (name: string): name is RunFunction => RUN_FUNCTIONS.has(name)

/** The variables of the engine's session in which a run's functions find their values. */
export const runVariables = ({ clock, seed }: RunMoment): ParameterValues => ({
  [VARIABLES.run_time]: clock,
  [VARIABLES.run_date]: clock.slice(0, 10),
  [VARIABLES.run_random]: seed
})

const isMark = (token: Token | undefined, value: string): boolean =>
  token?.kind === 'mark' && token.value === value

type Call = {
  readonly name: RunFunction
  /** Places of the name and of the bracket that closes the call, among the tokens. */
  readonly at: number
  readonly closes: number
  readonly arguments: number
}

/** The call that begins at a token, quoted or not: the engine makes no difference there. */
const callAt = (tokens: readonly Token[], at: number): Call | undefined => {
  const token = tokens[at]
  if (token?.kind !== 'word' && token?.kind !== 'name') return undefined
  const name = token.value.toLowerCase()
  if (!isRunFunction(name) || !isMark(tokens[at + 1], '(')) return undefined
  let depth = 0
  let commas = 0
  for (let index = at + 1; index < tokens.length; index += 1) {
    const { kind, value } = tokens[index] ?? { kind: 'mark', value: '' }
    if (kind !== 'mark') continue
    if ('([{'.includes(value)) depth += 1
    if (')]}'.includes(value)) depth -= 1
    if (value === ',' && depth === 1) commas += 1
    if (depth === 0) return { name, at, closes: index, arguments: index === at + 2 ? 0 : commas + 1 }
  }
  return undefined
}

/** What keeps a call from being one of a run's functions; null where it is one, or something else. */
export const runFunctionProblem = (tokens: readonly Token[], at: number): string | null => {
  const call = callAt(tokens, at)
  if (call === undefined) return null
  const { name } = call
  if (isMark(tokens[at - 1], '.')) return `${name}() stands by itself: it cannot follow a dot.`
  if (name === 'run_random') {
    return call.arguments === 1
      ? null
      : 'run_random() takes one value, such as a column that tells the rows apart: run_random(id).'
  }
  return call.arguments === 0 ? null : `${name}() takes nothing between its brackets.`
}

/** The variables that a text reads by way of a run's functions. */
export const runVariablesIn = (tokens: readonly Token[]): readonly string[] => [
  ...new Set(
    tokens.flatMap((_, at) => {
      const call = callAt(tokens, at)
      return call === undefined ? [] : [VARIABLES[call.name]]
    })
  )
]

/** 52 bits of a hash over seed and key, as a fraction. */
const RANDOM = {
  before: `(CAST('0x' || left(md5(CAST(getvariable('${VARIABLES.run_random}') AS VARCHAR) || ':' || CAST((`,
  after: `) AS VARCHAR)), 13) AS BIGINT) / CAST(4503599627370496 AS DOUBLE))`
}

/** The calls of a run's functions as SQL over variables of the engine's session. The text must have passed its gate. */
export const runReplacements = (tokens: readonly Token[]): readonly Replacement[] =>
  tokens.flatMap((token, at): Replacement[] => {
    const call = callAt(tokens, at)
    const opens = tokens[at + 1]
    const closes = tokens[call?.closes ?? -1]
    if (call === undefined || opens === undefined || closes === undefined) return []
    const variable = `getvariable('${VARIABLES[call.name]}')`
    switch (call.name) {
      case 'run_time':
        return [{ start: token.start, end: closes.end, text: `CAST(${variable} AS TIMESTAMP)` }]
      case 'run_date':
        return [{ start: token.start, end: closes.end, text: `CAST(${variable} AS DATE)` }]
      case 'run_random':
        return [
          { start: token.start, end: opens.end, text: RANDOM.before },
          { start: closes.start, end: closes.end, text: RANDOM.after }
        ]
    }
  })
