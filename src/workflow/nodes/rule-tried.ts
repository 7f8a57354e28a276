import { quoteName, quoteText, sameName, triedSql, valueOfTried } from '../sql-text.ts'
import type { Compiled, Leaving, Reached } from './node-type.ts'

type Choice = { readonly when: string; readonly sql: string }
type Value = { readonly name: string; readonly sql: string; readonly choices: readonly Choice[] }

/** An expression as a person wrote it: without the brackets that it was given. */
const asWritten = (sql: string): string => sql.slice(1, -1)

/**
 * Rules whose expressions are tried: a row for which a condition fails, or what is to be set by the rule that decides,
 * leaves by `rejected` with `_reason` and without a `_rule`, for none rejected it. Undefined where nothing is to be
 * tried. `usual` is the same node as it is otherwise.
 */
export const compileTriedRule = ({
  input,
  rules,
  prefix,
  usual,
  values,
  rejected,
  why
}: {
  readonly input: Reached
  readonly rules: readonly { readonly name: string; readonly when: string }[]
  readonly prefix: string
  readonly usual: { readonly ports: { readonly out: Leaving; readonly rejected: Leaving } }
  readonly values: readonly Value[]
  /** True for rows that a rule rejects, said over the rules' marks, `<prefix>.<number>`. */
  readonly rejected: string
  readonly why: { readonly rule: string; readonly reason: string }
}): Compiled | undefined => {
  if (rules.length === 0 && values.length === 0) return undefined
  const { out, rejected: gone } = usual.ports
  const triedMark = (at: number): string => `${prefix}.tried.${at}`
  const triedValue = (at: number): string => `${prefix}.value.${at}`
  const select = (list: readonly string[], from: string): string =>
    `SELECT ${['*', ...list].join(', ')} FROM ${from}`

  const tried = select(
    rules.map(({ when }, at) => `${triedSql(`coalesce(${when}, false)`)} AS ${quoteName(triedMark(at))}`),
    quoteName(input.relation)
  )
  const marked = select(
    rules.map((_, at) => `${valueOfTried(triedMark(at))} AS ${quoteName(`${prefix}.${at}`)}`),
    `(${tried}) AS "_tried"`
  )
  const valued = select(
    values.map(({ sql }, at) => `${triedSql(sql)} AS ${quoteName(triedValue(at))}`),
    `(${marked}) AS "_marked"`
  )
  const from = `FROM (${valued}) AS "_valued"`

  const isNull = (name: string): string => `${quoteName(name)} IS NULL`
  const badMarks = rules.map((_, at) => isNull(triedMark(at)))
  const badValues = values.map((_, at) => isNull(triedValue(at)))
  const anyOf = (conditions: readonly string[]): string =>
    conditions.length === 0 ? 'false' : `(${conditions.join(' OR ')})`

  const outList = out.columns.map(({ name }) => {
    const at = values.findIndex((value) => sameName(value.name, name))
    return at < 0 ? quoteName(name) : `${valueOfTried(triedValue(at))} AS ${quoteName(name)}`
  })
  const fine = `NOT ${anyOf(badMarks)} AND NOT (${rejected}) AND NOT ${anyOf(badValues)}`

  const said = (text: string): string => quoteText(`cannot be computed for this row: ${text}`)
  const reasons = [
    ...rules.map(
      ({ name, when }, at) =>
        `WHEN ${badMarks[at] ?? 'false'} THEN ${quoteText(`The condition of "${name}" `)} || ${said(asWritten(when))}`
    ),
    `WHEN ${rejected} THEN ${why.reason}`,
    ...values.map(({ name, choices }, at) => {
      const whens = choices.map(({ when, sql }) => `WHEN ${when} THEN ${said(asWritten(sql))}`)
      return `WHEN ${badValues[at] ?? 'false'} THEN ${quoteText(`"${name}" `)} || CASE ${whens.join(' ')} ELSE 'cannot be computed for this row.' END`
    })
  ]
  const goneList = gone.columns.map(({ name }) => {
    if (name === '_rule') return `CASE WHEN ${anyOf(badMarks)} THEN NULL ELSE ${why.rule} END AS "_rule"`
    if (name === '_reason') return `CASE ${reasons.join(' ')} END AS "_reason"`
    return quoteName(name)
  })
  const bad = `${anyOf(badMarks)} OR coalesce(${rejected}, false) OR ${anyOf(badValues)}`
  return {
    ports: {
      out: { sql: `SELECT ${outList.join(', ')} ${from} WHERE ${fine}`, columns: out.columns },
      rejected: { sql: `SELECT ${goneList.join(', ')} ${from} WHERE ${bad}`, columns: gone.columns }
    },
    failed: '"_rule" IS NULL'
  }
}
