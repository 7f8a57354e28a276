import { z } from 'zod'
import { freePrefix, quoteName, quoteText, triedSql, valueOfTried } from '../sql-text.ts'
import { all, oneInput, readerOf, type Compiled, type Reached } from './node-type.ts'
import { Expression, PortName } from './spec-parts.ts'
import { nothingRejected, rejectedColumns } from './transform-tried.ts'

export const BranchSpec = z.strictObject({
  outputs: z.array(z.strictObject({ name: PortName, when: Expression.optional() })).min(1),
  mode: z.enum(['first', 'all']).default('first')
})
export type BranchSpec = z.infer<typeof BranchSpec>

const REJECTED = 'rejected'

/** Has a branch a row that it could reject? One of its own ways may have that name. */
export const branchCanReject = ({ outputs }: BranchSpec): boolean =>
  outputs.every(({ name }) => name !== REJECTED) && outputs.some(({ when }) => when !== undefined)

/** A way out of a branch: its condition as a person wrote it and as SQL that is true or false; null where it has none. */
type Way = {
  readonly name: string
  readonly condition: { readonly text: string; readonly sql: string } | null
}

/** For each way, by place, the condition over the others' that a row has to meet. */
const meeting = (ways: readonly Way[], mode: BranchSpec['mode'], met: (at: number) => string) =>
  ways.map(({ condition }, at) => {
    const before = mode === 'first' || condition === null ? ways.slice(0, at).map((_, other) => other) : []
    return [condition === null ? 'true' : met(at), ...before.map((other) => `NOT ${met(other)}`)].join(
      ' AND '
    )
  })

/**
 * Conditions are tried: a row that cannot be told to go a way leaves by `rejected` as it came, with `_reason`. What leaves
 * by the others is what leaves by them where nothing is tried: they may have been written before a query has failed.
 */
const compileTried = (input: Reached, ways: readonly Way[], mode: BranchSpec['mode']): Compiled => {
  const prefix = freePrefix(input.columns, '_way')
  const nameOf = (at: number): string => `${prefix}.${at}`
  const asked = ways.flatMap(({ name, condition }, at) =>
    condition === null ? [] : [{ name, condition, at }]
  )
  const tried = asked.map(({ condition, at }) => `${triedSql(condition.sql)} AS ${quoteName(nameOf(at))}`)
  const from = `FROM (SELECT *, ${tried.join(', ')} FROM ${quoteName(input.relation)}) AS "_tried"`
  const bad = asked.map(({ at }) => `${quoteName(nameOf(at))} IS NULL`)
  // In mode first, nobody asks for what comes after a condition that is met.
  const unclear = bad.map((isBad, index) => {
    const met = asked.slice(0, index).map(({ at }) => valueOfTried(nameOf(at)))
    return mode === 'all' || met.length === 0 ? isBad : `(${isBad} AND (${met.join(' OR ')}) IS NOT TRUE)`
  })
  const list = input.columns.map(({ name }) => quoteName(name)).join(', ')
  const conditions = meeting(ways, mode, (at) => valueOfTried(nameOf(at)))
  const reasons = asked.map(({ name, condition }, index) => {
    const why = `The condition of "${name}" cannot be computed for this row: ${condition.text}`
    return `WHEN ${bad[index] ?? 'false'} THEN ${quoteText(why)}`
  })
  const columns = rejectedColumns(input)
  const kept = columns.slice(0, -1).map(({ name }) => quoteName(name))
  const gone = [...kept, `CASE ${reasons.join(' ')} END AS "_reason"`].join(', ')
  return {
    ports: {
      ...Object.fromEntries(
        ways.map(({ name }, at) => {
          const sql = `SELECT ${list} ${from} WHERE ${conditions[at] ?? 'true'}`
          return [name, { sql, columns: input.columns }]
        })
      ),
      [REJECTED]: { sql: `SELECT ${gone} ${from} WHERE ${unclear.join(' OR ')}`, columns }
    },
    failed: 'true'
  }
}

/**
 * Sends rows different ways. `first`: a row leaves by the first output whose condition it meets; `all`: by each. The
 * last output may have no condition: it takes the rows that met none. A row that meets none otherwise goes nowhere.
 * Where conditions are tried, a row for which one fails leaves by `rejected`: in mode `first` if it met none before, in
 * mode `all` beside the ways that it meets.
 */
export const readBranch = readerOf<BranchSpec>({
  kind: 'branch',
  schema: BranchSpec,
  inputs: () => [oneInput('in')],
  outputs: ({ outputs }) => [...new Set([...outputs.map(({ name }) => name), REJECTED])],
  expressions: ({ outputs }) =>
    outputs.flatMap(({ when }, index) =>
      when === undefined ? [] : [{ path: `.outputs[${index}].when`, text: when, scope: 'scalar' }]
    ),
  invalid: ({ outputs }) =>
    outputs.flatMap(({ name, when }, index) => [
      ...(outputs.findIndex((other) => other.name === name) < index
        ? [{ path: `.outputs[${index}].name`, message: `There are two outputs "${name}".` }]
        : []),
      ...(when === undefined && index < outputs.length - 1
        ? [{ path: `.outputs[${index}]`, message: 'Only the last output may have no condition.' }]
        : [])
    ]),
  notBuilt: () => [],
  compile: async (spec, compiling) => {
    const [input] = compiling.input('in')
    if (input === undefined) return undefined
    const ways = await all(spec.outputs, async ({ name, when }, index): Promise<Way | undefined> => {
      if (when === undefined) return { name, condition: null }
      const sql = await compiling.condition(`.outputs[${index}].when`, when, input.columns)
      return sql === undefined
        ? undefined
        : { name, condition: { text: when, sql: `coalesce(${sql}, false)` } }
    })
    if (ways === undefined) return undefined
    if (compiling.rejectsRows && branchCanReject(spec)) return compileTried(input, ways, spec.mode)
    const conditions = meeting(ways, spec.mode, (at) => ways[at]?.condition?.sql ?? 'true')
    const ports = ways.map(({ name }, at) => {
      const sql = `SELECT * FROM ${quoteName(input.relation)} WHERE ${conditions[at] ?? 'true'}`
      return [name, { sql, columns: input.columns }] as const
    })
    const isOwn = spec.outputs.some(({ name }) => name === REJECTED)
    const rejected = !isOwn && compiling.isRead(REJECTED) ? { [REJECTED]: nothingRejected(input) } : {}
    return { ports: { ...Object.fromEntries(ports), ...rejected } }
  }
})
