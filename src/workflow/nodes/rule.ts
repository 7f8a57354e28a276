import { z } from 'zod'
import { findColumn, freePrefix, quoteName, quoteText, sameName } from '../sql-text.ts'
import type { Column } from '../value-type.ts'
import { ownValue } from '../own-value.ts'
import {
  all,
  keyPath,
  oneInput,
  readerOf,
  type Compiling,
  type ExpressionAt,
  type Reached,
  type SpecProblem
} from './node-type.ts'
import { compileTriedRule } from './rule-tried.ts'
import { Expression, ExpressionByColumn } from './spec-parts.ts'

export const Rule = z.strictObject({
  name: z.string().min(1).max(200),
  when: Expression,
  set: ExpressionByColumn.optional(),
  /** The reason that rows are rejected with. */
  reject: z.string().optional()
})

export type Rule = z.infer<typeof Rule>

export const RuleSpec = z.strictObject({
  ruleSet: z.strictObject({ name: z.string(), version: z.int().min(1).optional() }).optional(),
  rules: z.array(Rule).optional(),
  mode: z.enum(['first', 'all']).default('first'),
  otherwise: ExpressionByColumn.optional()
})
export type RuleSpec = z.infer<typeof RuleSpec>

type Set = Readonly<Record<string, string>>
type CompiledRule = {
  readonly name: string
  readonly reject: string | undefined
  readonly when: string
  readonly set: Set
}

const setExpressions = (path: string, set: Set = {}): ExpressionAt[] =>
  Object.entries(set).map(([column, text]) => ({ path: path + keyPath(column), text, scope: 'scalar' }))

const setProblems = (path: string, set: Set = {}) => {
  const names = Object.keys(set)
  return names
    .filter((name, at) => names.findIndex((other) => sameName(other, name)) < at)
    .map((name) => ({ path: path + keyPath(name), message: `The column "${name}" is set twice.` }))
}

export const ruleExpressions = (rules: readonly Rule[]): readonly ExpressionAt[] =>
  rules.flatMap(({ when, set }, index): ExpressionAt[] => [
    { path: `.rules[${index}].when`, text: when, scope: 'scalar' },
    ...setExpressions(`.rules[${index}].set`, set)
  ])

/** What is wrong with rules in themselves. */
export const ruleProblems = (rules: readonly Rule[]): readonly SpecProblem[] =>
  rules.flatMap(({ set }, index) => setProblems(`.rules[${index}].set`, set))

const compileSet = async (
  path: string,
  set: Set = {},
  columns: readonly Column[],
  { expression }: Compiling
): Promise<Set | undefined> => {
  const entries = await all(Object.entries(set), async ([name, text]) => {
    const sql = await expression(path + keyPath(name), text, 'scalar', columns)
    return sql === undefined ? undefined : ([name.toLowerCase(), sql] as const)
  })
  return entries && Object.fromEntries(entries)
}

const compileRules = (spec: RuleSpec, columns: readonly Column[], compiling: Compiling) =>
  all(spec.rules ?? [], async (rule, index): Promise<CompiledRule | undefined> => {
    const path = `.rules[${index}]`
    const when = await compiling.condition(`${path}.when`, rule.when, columns)
    const set = await compileSet(`${path}.set`, rule.set, columns, compiling)
    return when && set ? { name: rule.name, reject: rule.reject, when, set } : undefined
  })

const setNames = (spec: RuleSpec): readonly string[] => {
  const names = [...(spec.rules ?? []).map(({ set }) => set), spec.otherwise].flatMap((set) =>
    Object.keys(set ?? {})
  )
  return names.filter((name, at) => names.findIndex((other) => sameName(other, name)) === at)
}

/** One mark a rule, true where it matches; a condition that is NULL does not. */
const marked = (input: Reached, rules: readonly CompiledRule[], mark: (at: number) => string): string => {
  const marks = rules.map(({ when }, at) => `, coalesce(${when}, false) AS ${mark(at)}`)
  return `SELECT *${marks.join('')} FROM ${quoteName(input.relation)}`
}

/**
 * Gives each row what the rules say. Rules see the row as it came in. `first`: the first rule that matches decides
 * alone; `all`: every rule that matches sets its columns, later ones over earlier ones, and any rejecting one rejects.
 * `otherwise` is for rows that no rule matches. What is not set keeps its value; a new column is NULL.
 * `out` has the input's columns and every column that is set anywhere; `rejected` the input's, `_rule` and `_reason`.
 */
export const readRule = readerOf<RuleSpec>({
  kind: 'rule',
  schema: RuleSpec,
  inputs: () => [oneInput('in')],
  outputs: () => ['out', 'rejected'],
  expressions: (spec) => [
    ...ruleExpressions(spec.rules ?? []),
    ...setExpressions('.otherwise', spec.otherwise)
  ],
  invalid: ({ ruleSet, rules = [], otherwise }) => [
    ...(ruleSet !== undefined && rules.length > 0
      ? [{ path: '.rules', message: 'A rule node has a rule set or rules of its own, not both.' }]
      : []),
    ...ruleProblems(rules),
    ...setProblems('.otherwise', otherwise)
  ],
  notBuilt: () => [],
  compile: async (spec, compiling) => {
    // Still by name, it was not found in the catalog, which has been reported.
    if (spec.ruleSet !== undefined) return undefined
    const [input] = compiling.input('in')
    if (input === undefined) return undefined
    const rules = await compileRules(spec, input.columns, compiling)
    const otherwise = await compileSet('.otherwise', spec.otherwise, input.columns, compiling)
    if (rules === undefined || otherwise === undefined) return undefined

    const prefix = freePrefix(input.columns, '_match')
    const mark = (at: number): string => quoteName(`${prefix}.${at}`)
    const rejects = rules.flatMap(({ reject }, at) => (reject === undefined ? [] : [{ at, reject }]))
    // In mode first, a rule counts only where none before it matches.
    const decides = (at: number): string =>
      spec.mode === 'all' || at === 0
        ? mark(at)
        : `(${mark(at)} AND NOT (${Array.from({ length: at }, (_, before) => mark(before)).join(' OR ')}))`
    const rejected = rejects.length === 0 ? 'false' : rejects.map(({ at }) => decides(at)).join(' OR ')
    const anyMark = rules.length === 0 ? 'false' : rules.map((_, at) => mark(at)).join(' OR ')

    /** What each row takes a column's value from, in the order of what counts first. */
    const choices = (name: string): readonly { readonly when: string; readonly sql: string }[] => {
      const key = name.toLowerCase()
      const setting = rules.flatMap(({ set }, at) => {
        const sql = ownValue(set, key)
        return sql === undefined ? [] : [{ when: decides(at), sql }]
      })
      const cases = spec.mode === 'all' ? setting.toReversed() : setting
      const fallback = ownValue(otherwise, key)
      return fallback === undefined ? cases : [...cases, { when: `NOT (${anyMark})`, sql: fallback }]
    }
    const valueOf = (name: string): string => {
      const kept = findColumn(input.columns, name)
      const whens = choices(name).map(({ when, sql }) => `WHEN ${when} THEN ${sql}`)
      return `CASE ${whens.join(' ')} ELSE ${kept === undefined ? 'NULL' : quoteName(kept.name)} END`
    }
    const names = setNames(spec)
    const kept = input.columns.map(({ name }) =>
      names.some((other) => sameName(other, name))
        ? `${valueOf(name)} AS ${quoteName(name)}`
        : quoteName(name)
    )
    const added = names
      .filter((name) => findColumn(input.columns, name) === undefined)
      .map((name) => `${valueOf(name)} AS ${quoteName(name)}`)
    const from = `FROM (${marked(input, rules, mark)}) AS "_marked"`
    const out = await compiling.describe(
      '',
      `SELECT ${[...kept, ...added].join(', ')} ${from} WHERE NOT (${rejected})`,
      [input]
    )

    const why = (text: (at: number, reject: string) => string): string =>
      rejects.length === 0
        ? 'CAST(NULL AS VARCHAR)'
        : `CASE ${rejects.map(({ at, reject }) => `WHEN ${decides(at)} THEN ${quoteText(text(at, reject))}`).join(' ')} END`
    const plain = input.columns
      .filter(({ name }) => !['_rule', '_reason'].includes(name.toLowerCase()))
      .map(({ name }) => quoteName(name))
    const columns = [
      ...plain,
      `${why((at) => rules[at]?.name ?? '')} AS "_rule"`,
      `${why((_, reject) => reject)} AS "_reason"`
    ]
    const gone = await compiling.describe('', `SELECT ${columns.join(', ')} ${from} WHERE ${rejected}`, [
      input
    ])
    if (out === undefined || gone === undefined) return undefined
    const usual = { ports: { out, rejected: gone } }
    if (!compiling.rejectsRows) return usual
    return (
      compileTriedRule({
        input,
        rules,
        prefix,
        usual,
        values: names.map((name) => ({ name, sql: valueOf(name), choices: choices(name) })),
        rejected,
        why: { rule: why((at) => rules[at]?.name ?? ''), reason: why((_, reject) => reject) }
      }) ?? usual
    )
  }
})
