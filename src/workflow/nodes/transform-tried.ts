import {
  ENGINE_TYPES,
  freePrefix,
  nameList,
  quoteName,
  quoteText,
  sameName,
  triedSql,
  valueOfTried
} from '../sql-text.ts'
import type { Column } from '../value-type.ts'
import { keyPath, type Compiled, type Compiling, type Leaving } from './node-type.ts'
import type { Step } from './transform-spec.ts'

type Part = { readonly name: string; readonly sql: string }
/** A step, and its place in the spec. */
type Stage = { readonly step: Step; readonly index: number }
/** An expression of a step, and why a row for which it fails is rejected. */
type Trial = { readonly column: string | null; readonly sql: string; readonly reason: string }

const REASON: Column = { name: '_reason', type: 'text', engineType: 'VARCHAR' }

/** The last query with the parts before it as common tables. */
export const withParts = (parts: readonly Part[], last: string): string => {
  const named = parts.map(({ name, sql }) => `${quoteName(name)} AS NOT MATERIALIZED (${sql})`)
  // A SELECT that begins with WITH of its own cannot follow another WITH.
  const select = last.startsWith('WITH') ? `SELECT * FROM (${last}) AS "_last"` : last
  return `WITH ${named.join(', ')} ${select}`
}

/** What leaves by `rejected` as it came, and why. */
export const rejectedColumns = ({ columns }: Pick<Leaving, 'columns'>): readonly Column[] => [
  ...columns.filter(({ name }) => !sameName(name, REASON.name)),
  REASON
]

/** What leaves by `rejected` where no expression is tried: nothing, in the form of what could. */
export const nothingRejected = (gathered: Pick<Leaving, 'columns'>): Leaving => {
  const columns = rejectedColumns(gathered)
  const list = columns.map(({ name, engineType }) => `CAST(NULL AS ${engineType}) AS ${quoteName(name)}`)
  return { sql: `SELECT ${list.join(', ')} WHERE false`, columns }
}

/** Steps that make a row of a row, or leave it out: what fails in them fails for that row alone. */
const isOfOneRow = ({ op }: Step): boolean => {
  switch (op) {
    case 'filter':
    case 'derive':
    case 'select':
    case 'drop':
    case 'rename':
    case 'cast':
    case 'sort':
    case 'limit':
      return true
    case 'aggregate':
    case 'distinct':
    case 'pivot':
    case 'unpivot':
    case 'union':
    case 'sql':
    case 'operator':
      return false
  }
}

/** How many of the first steps still have the rows that came in. */
export const rowwise = (steps: readonly Step[]): number => {
  const end = steps.findIndex((step) => !isOfOneRow(step))
  return end < 0 ? steps.length : end
}

const hasTrials = (step: Step): boolean =>
  step.op === 'filter' ||
  ((step.op === 'derive' || step.op === 'cast') && Object.keys(step.columns).length > 0)

/** Has a transform of these steps a row that it could reject? */
export const canReject = (steps: readonly Step[]): boolean => {
  const own = steps.filter(({ op }) => op !== 'union')
  return own.slice(0, rowwise(own)).some(hasTrials)
}

/** The expressions of a step, which have been checked already. */
const trialsOf = async (
  { step, index }: Stage,
  columns: readonly Column[],
  { expression }: Compiling
): Promise<readonly Trial[]> => {
  const path = `.steps[${index}]`
  const trials: Trial[] = []
  const add = async (at: string, column: string | null, text: string): Promise<void> => {
    const sql = await expression(path + at, text, 'scalar', columns)
    const what = column === null ? 'The condition' : `"${column}"`
    if (sql !== undefined) {
      trials.push({ column, sql, reason: `${what} cannot be computed for this row: ${text}` })
    }
  }
  if (step.op === 'filter') await add('.where', null, step.where)
  if (step.op === 'derive') {
    for (const [name, text] of Object.entries(step.columns)) {
      // oxlint-disable-next-line no-await-in-loop -- in order, on purpose
      await add(`.columns${keyPath(name)}`, name, text)
    }
  }
  if (step.op === 'cast') {
    for (const [key, type] of Object.entries(step.columns)) {
      const name = columns.find((column) => sameName(column.name, key))?.name ?? key
      trials.push({
        column: name,
        sql: `CAST(${quoteName(name)} AS ${ENGINE_TYPES[type]})`,
        reason: `"${name}" cannot be read as ${type}.`
      })
    }
  }
  return trials
}

type Tried = {
  readonly stage: Stage
  readonly before: Leaving
  readonly after: Leaving
  readonly trials: readonly Trial[]
}

/** One row-wise step over `_<at>`; `hidden` goes along with each row. */
const stepSql = (
  { stage: { step }, before, after, trials }: Tried,
  { from, tried, hidden }: { from: string; tried: (at: number) => string; hidden: readonly string[] }
): string => {
  const carried = hidden.map(quoteName)
  const source = quoteName(from)
  const fine = trials.map((_, at) => `${quoteName(tried(at))} IS NOT NULL`).join(' AND ')
  switch (step.op) {
    case 'filter':
      return `SELECT ${[nameList(before.columns.map(({ name }) => name)), ...carried].join(', ')} FROM ${source} WHERE ${valueOfTried(tried(0))}`
    case 'derive':
    case 'cast': {
      const list = after.columns.map(({ name }) => {
        const at = trials.findIndex(({ column }) => column !== null && sameName(column, name))
        return at < 0 ? quoteName(name) : `${valueOfTried(tried(at))} AS ${quoteName(name)}`
      })
      const where = fine === '' ? '' : ` WHERE ${fine}`
      return `SELECT ${[...list, ...carried].join(', ')} FROM ${source}${where}`
    }
    case 'rename': {
      const list = after.columns.map(
        ({ name }, at) => `${quoteName(before.columns[at]?.name ?? name)} AS ${quoteName(name)}`
      )
      return `SELECT ${[...list, ...carried].join(', ')} FROM ${source}`
    }
    case 'select':
    case 'drop':
      return `SELECT ${[...after.columns.map(({ name }) => quoteName(name)), ...carried].join(', ')} FROM ${source}`
    // Both take the rows as they are, and what goes along with them.
    case 'sort':
    case 'limit':
    case 'aggregate':
    case 'distinct':
    case 'pivot':
    case 'unpivot':
    case 'union':
    case 'sql':
    case 'operator':
      return after.sql
  }
}

/** Rows that came in and for which a step's expression failed, with the first such as the reason. */
const failedSql = (
  trials: readonly Trial[],
  columns: readonly Column[],
  { from, tried, row }: { from: string; tried: (at: number) => string; row: string }
): string => {
  const cells = columns
    .filter(({ name }) => !sameName(name, REASON.name))
    .map(({ name }) => `struct_extract(${quoteName(row)}, ${quoteText(name)}) AS ${quoteName(name)}`)
  const isFailed = (at: number): string => `${quoteName(tried(at))} IS NULL`
  const whens = trials.map(({ reason }, at) => `WHEN ${isFailed(at)} THEN ${quoteText(reason)}`)
  const list = [...cells, `CASE ${whens.join(' ')} END AS "_reason"`]
  return `SELECT ${list.join(', ')} FROM ${quoteName(from)} WHERE ${trials.map((_, at) => isFailed(at)).join(' OR ')}`
}

/**
 * A transform whose first steps, as long as a row is still the one that came in, try their expressions: a row for which
 * one fails leaves by `rejected` as it came, with `_reason`. Behind a step over many rows everything is as it always is.
 * Undefined where nothing is to be tried. `parts` are the steps as they are otherwise, what they begin with first.
 */
export const compileTried = async ({
  stages,
  parts,
  compiling
}: {
  readonly stages: readonly Stage[]
  readonly parts: readonly Leaving[]
  readonly compiling: Compiling
}): Promise<Compiled | undefined> => {
  const [gathered] = parts
  const last = parts.at(-1)
  const count = rowwise(stages.map(({ step }) => step))
  if (gathered === undefined || last === undefined) return undefined
  const prefix = freePrefix(
    parts.flatMap(({ columns }) => columns),
    '_try'
  )
  const row = `${prefix}.row`
  const steps: Tried[] = []
  for (const [at, stage] of stages.slice(0, count).entries()) {
    const [before, after] = [parts[at], parts[at + 1]]
    if (before === undefined || after === undefined) return undefined
    // oxlint-disable-next-line no-await-in-loop -- in order, on purpose
    steps.push({ stage, before, after, trials: await trialsOf(stage, before.columns, compiling) })
  }
  if (steps.every(({ trials }) => trials.length === 0)) return undefined

  const triedName = (at: number) => (trial: number) => `${prefix}.${at}.${trial}`
  const partsOf = (hidden: readonly string[]): readonly Part[] =>
    steps.flatMap((step, at): Part[] => {
      const tried = triedName(at)
      const from = step.trials.length === 0 ? `_${at}` : `_${at}.tried`
      const trials = step.trials.map(({ sql }, trial) => `, ${triedSql(sql)} AS ${quoteName(tried(trial))}`)
      const next = { name: `_${at + 1}`, sql: stepSql(step, { from, tried, hidden }) }
      if (trials.length === 0) return [next]
      return [{ name: from, sql: `SELECT *${trials.join('')} FROM ${quoteName(`_${at}`)}` }, next]
    })
  const rest = parts.slice(count + 1).map(({ sql }, at) => ({ name: `_${count + 1 + at}`, sql }))
  const whole = [{ name: '_0', sql: gathered.sql }, ...partsOf([]), ...rest]
  const out = withParts(whole, `SELECT * FROM ${quoteName(`_${parts.length - 1}`)}`)

  const cells = gathered.columns.map(({ name }) => `${quoteName(name)} := ${quoteName(name)}`)
  const opened = {
    name: '_0',
    sql: `SELECT *, struct_pack(${cells.join(', ')}) AS ${quoteName(row)} FROM (${gathered.sql}) AS "_gathered"`
  }
  const failures = steps.flatMap(({ trials }, at) =>
    trials.length === 0
      ? []
      : [failedSql(trials, gathered.columns, { from: `_${at}.tried`, tried: triedName(at), row })]
  )
  const rejected = withParts([opened, ...partsOf([row])], failures.join(' UNION ALL '))
  return {
    ports: {
      out: { sql: out, columns: last.columns },
      rejected: { sql: rejected, columns: rejectedColumns(gathered) }
    },
    failed: 'true'
  }
}
