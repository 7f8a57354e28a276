import { z } from 'zod'
import { didYouMean } from '../did-you-mean.ts'
import { lex } from '../expression-lexer.ts'
import type { ParameterDefinition, Parameters } from '../graph.ts'
import { keyPath, type SpecProblem } from '../nodes/node-type.ts'
import { parameterProblems } from '../parameter-values.ts'
import { quoteName } from '../sql-text.ts'
import type { OperatorParameter } from './operator-spec.ts'

const ArgumentValue = z.union([z.string(), z.number(), z.boolean(), z.null()])
type ArgumentValue = z.infer<typeof ArgumentValue>
/** Hands on one of the workflow's own parameters. */
const OfWorkflow = z.strictObject({ parameter: z.string() })

/** What stands for an operator's `$name`: a column, or a parameter of the workflow, one of its own or made for the value. */
type Binding =
  { readonly type: 'column'; readonly name: string } | { readonly type: 'parameter'; readonly name: string }

export type BoundArguments = {
  readonly problems: readonly SpecProblem[]
  /** Parameters that the graph needs beside its own, each with its value as the default. */
  readonly added: Parameters
  /** The column that a name in a list of columns stands for: `$name` for an argument, else itself. */
  readonly column: (name: string) => string
  /** An expression with every `$name` replaced; values are never part of it. */
  readonly text: (expression: string) => string
}

/** A name for a value's parameter that no other has. */
const freshName = (taken: Parameters): string => {
  let number = 1
  while (Object.hasOwn(taken, `_argument_${number}`)) number += 1
  return `_argument_${number}`
}

type Bound = {
  readonly binding?: Binding
  readonly added?: readonly [string, ParameterDefinition]
  readonly problem?: SpecProblem
}

const bindColumn = (path: string, parameter: OperatorParameter, given: unknown): Bound =>
  typeof given === 'string' && given !== ''
    ? { binding: { type: 'column', name: given } }
    : { problem: { path, message: `"${parameter.name}" is the name of a column.` } }

const bindValue = (
  path: string,
  { name, type }: OperatorParameter & { readonly type: ParameterDefinition['type'] },
  given: unknown,
  taken: Parameters
): Bound => {
  const handedOn = OfWorkflow.safeParse(given)
  if (handedOn.success) {
    const { parameter } = handedOn.data
    if (Object.hasOwn(taken, parameter)) return { binding: { type: 'parameter', name: parameter } }
    const hint = didYouMean(parameter, Object.keys(taken))
    return { problem: { path, message: `This workflow has no parameter "${parameter}".${hint}` } }
  }
  const value = ArgumentValue.safeParse(given)
  if (!value.success) {
    const message = `"${name}" is one value, or { "parameter": … } for one of the workflow's parameters.`
    return { problem: { path, message } }
  }
  const [problem] = parameterProblems({ [name]: { type } }, { [name]: value.data })
  if (problem !== undefined) return { problem: { path, message: problem.message } }
  const fresh = freshName(taken)
  return { binding: { type: 'parameter', name: fresh }, added: [fresh, { type, default: value.data }] }
}

const bindOne = (path: string, parameter: OperatorParameter, given: unknown, taken: Parameters): Bound => {
  if (given === undefined) {
    return { problem: { path, message: `The operator needs "${parameter.name}", which has no default.` } }
  }
  const { type } = parameter
  return type === 'column'
    ? bindColumn(path, parameter, given)
    : bindValue(path, { ...parameter, type }, given, taken)
}

const rewrite = (text: string, bindings: ReadonlyMap<string, Binding>): string => {
  const lexed = lex(text)
  if (!lexed.ok) return text
  return lexed.tokens.reduceRight((rewritten, { kind, value, start, end }) => {
    const binding = kind === 'parameter' ? bindings.get(value) : undefined
    if (binding === undefined) return rewritten
    const instead = binding.type === 'column' ? quoteName(binding.name) : `$${binding.name}`
    return rewritten.slice(0, start) + instead + rewritten.slice(end)
  }, text)
}

/**
 * Binds what a use of an operator gives it. A column's name stands in expressions as a quoted name, so that nothing in it
 * is SQL; a value becomes a parameter of its own, which the engine is given beside the SQL. `taken` are the parameters
 * that the graph has so far.
 */
export const bindArguments = (
  parameters: readonly OperatorParameter[],
  given: Readonly<Record<string, unknown>>,
  taken: Parameters
): BoundArguments => {
  const names = parameters.map(({ name }) => name)
  const problems: SpecProblem[] = Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => ({
      path: keyPath(name),
      message: `The operator takes no "${name}".${didYouMean(name, names)}`
    }))
  const bindings = new Map<string, Binding>()
  let added: Parameters = {}
  for (const parameter of parameters) {
    const { name } = parameter
    const value = Object.hasOwn(given, name) ? given[name] : parameter.default
    const bound = bindOne(keyPath(name), parameter, value, { ...taken, ...added })
    if (bound.problem !== undefined) problems.push(bound.problem)
    if (bound.binding !== undefined) bindings.set(name, bound.binding)
    if (bound.added !== undefined) added = { ...added, [bound.added[0]]: bound.added[1] }
  }
  return {
    problems,
    added,
    column: (name) => {
      const binding = name.startsWith('$') ? bindings.get(name.slice(1)) : undefined
      return binding?.type === 'column' ? binding.name : name
    },
    text: (expression) => rewrite(expression, bindings)
  }
}
