import { lex, type Token } from '../expression-lexer.ts'
import { quoteName, quoteText, sameName } from '../sql-text.ts'
import { all, keyPath, type Compiling, type ExpressionAt, type Leaving, type Reached } from './node-type.ts'
import type { StepOf } from './transform-spec.ts'

type Pivot = StepOf<'pivot'>
type PivotOn = {
  readonly column: string
  readonly values: readonly { readonly name: string; readonly sql: string }[]
}

const toValue = (tokens: readonly Token[]): PivotOn['values'][number] | undefined => {
  const [first, second] = tokens
  if (tokens.length === 2 && first?.value === '-' && second?.kind === 'number') {
    return { name: `-${second.value}`, sql: `-${second.value}` }
  }
  if (tokens.length !== 1 || first === undefined) return undefined
  if (first.kind === 'text') return { name: first.value, sql: quoteText(first.value) }
  if (first.kind === 'number') return { name: first.value, sql: first.value }
  const constant = first.kind === 'word' && ['true', 'false', 'null'].includes(first.value)
  return constant ? { name: first.value, sql: first.value } : undefined
}

const splitAtCommas = (tokens: readonly Token[]): readonly (readonly Token[])[] =>
  tokens.reduce<Token[][]>(
    (lists, token) => {
      if (token.kind === 'mark' && token.value === ',') lists.push([])
      else lists.at(-1)?.push(token)
      return lists
    },
    [[]]
  )

/** Reads `column IN (value, …)`. The values are part of the workflow, so that the columns that leave are known. */
export const readPivotOn = (text: string): PivotOn | undefined => {
  const lexed = lex(text)
  if (!lexed.ok) return undefined
  const [column, into, open, ...rest] = lexed.tokens
  const close = rest.pop()
  const isColumn = column?.kind === 'word' || column?.kind === 'name'
  if (!isColumn || into?.value !== 'in' || open?.value !== '(' || close?.value !== ')') return undefined
  const lists = splitAtCommas(rest)
  const values = lists.map(toValue).filter((value) => value !== undefined)
  if (values.length === 0 || values.length !== lists.length) return undefined
  return {
    column: text.slice(column.start, column.end).replaceAll(/^"|"$/g, '').replaceAll('""', '"'),
    values
  }
}

const usedAggregates = (
  using: Pivot['using']
): readonly { readonly path: string; readonly name: string; readonly text: string }[] =>
  typeof using === 'string'
    ? [{ path: '.using', name: '', text: using }]
    : Object.entries(using).map(([name, text]) => ({ path: `.using${keyPath(name)}`, name, text }))

export const pivotExpressions = (path: string, { using }: Pivot): ExpressionAt[] =>
  usedAggregates(using).map((used) => ({ path: path + used.path, text: used.text, scope: 'aggregate' }))

/** What the column of one value is called; with one aggregate alone, as the value. */
export const cellName = (value: string, aggregate: string): string =>
  aggregate === '' ? value : `${value}_${aggregate}`

/** Turns values of a column into columns: a row for each group, in each new column the aggregate over its value's rows. */
export const compilePivot = async (
  path: string,
  step: Pivot,
  input: Reached,
  compiling: Compiling
): Promise<Leaving | undefined> => {
  const on = readPivotOn(step.on)
  if (on === undefined) {
    const message = `Say the column and its values, such as month IN ('jan', 'feb').`
    return compiling.report(`${path}.on`, 'expression', message)
  }
  const onColumn = compiling.column(`${path}.on`, on.column, input.columns)
  const groups = await all(step.groupBy ?? [], async (name, index) =>
    compiling.column(`${path}.groupBy[${index}]`, name, input.columns)
  )
  const aggregates = await all(usedAggregates(step.using), async (used) => {
    const sql = await compiling.expression(path + used.path, used.text, 'aggregate', input.columns)
    return sql === undefined ? undefined : { ...used, sql }
  })
  if (onColumn === undefined || groups === undefined || aggregates === undefined) return undefined
  const named = [
    ...groups.map(({ name }) => name),
    ...on.values.flatMap((value) => aggregates.map(({ name }) => cellName(value.name, name)))
  ]
  const twice = named.find((name, at) => named.findIndex((other) => sameName(other, name)) < at)
  if (twice !== undefined) {
    // The engine would rename the second without a word.
    return compiling.report(`${path}.on`, 'invalid', `Two columns would be called "${twice}".`)
  }
  const from = quoteName(input.relation)
  const keys = [...groups.map(({ name }) => quoteName(name)), quoteName(onColumn.name)]
  const inner = [
    ...groups.map(({ name }, at) => `${quoteName(name)} AS "_g${at}"`),
    `${quoteName(onColumn.name)} AS "_on"`,
    ...aggregates.map(({ sql }, at) => `${sql} AS "_u${at}"`)
  ]
  const cells = on.values.flatMap((value) =>
    aggregates.map(({ name, sql }, at) => {
      const isValue = `FILTER (WHERE "_on" IS NOT DISTINCT FROM ${value.sql})`
      // Where a group has no such row, the aggregate over no rows: 0 for a count, NULL for a sum. Where it has some, their
      // aggregate, also where that is NULL.
      const empty = `(SELECT ${sql} FROM ${from} WHERE false)`
      const cell = `CASE WHEN count(*) ${isValue} = 0 THEN ${empty} ELSE any_value("_u${at}") ${isValue} END`
      return `${cell} AS ${quoteName(cellName(value.name, name))}`
    })
  )
  const outer = [...groups.map(({ name }, at) => `"_g${at}" AS ${quoteName(name)}`), ...cells]
  const grouped = groups.length === 0 ? '' : ` GROUP BY ${groups.map((_, at) => `"_g${at}"`).join(', ')}`
  const sql = `SELECT ${outer.join(', ')} FROM (SELECT ${inner.join(', ')} FROM ${from} GROUP BY ${keys.join(', ')}) AS "_grouped"${grouped}`
  return compiling.describe(path, sql, [input])
}
