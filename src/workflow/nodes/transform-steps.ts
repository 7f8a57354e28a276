import { ENGINE_TYPES, findColumn, nameList, quoteName, sameName } from '../sql-text.ts'
import { all, keyPath, type Compiling, type Leaving, type Reached } from './node-type.ts'
import { compilePivot } from './pivot.ts'
import type { Step, StepOf } from './transform-spec.ts'

type At = { readonly path: string; readonly input: Reached; readonly compiling: Compiling }
type Answer = Promise<Leaving | undefined>

const from = ({ input }: At): string => quoteName(input.relation)
const describe = ({ path, input, compiling }: At, sql: string): Answer =>
  compiling.describe(path, sql, [input])

const columnNames = async (
  { path, input, compiling }: At,
  key: string,
  names: readonly string[]
): Promise<readonly string[] | undefined> =>
  all(names, async (name, index) => compiling.column(`${path}.${key}[${index}]`, name, input.columns)?.name)

/** The column that each key of `columns` names, with the key's value. */
const keyedColumns = async <T>(
  { path, input, compiling }: At,
  columns: Readonly<Record<string, T>>
): Promise<readonly { readonly name: string; readonly value: T }[] | undefined> =>
  all(Object.entries(columns), async ([key, value]) => {
    const column = compiling.column(`${path}.columns${keyPath(key)}`, key, input.columns)
    return column && { name: column.name, value }
  })

const expressions = async (
  { path, input, compiling }: At,
  columns: Readonly<Record<string, string>>,
  scope: 'scalar' | 'aggregate'
): Promise<readonly { readonly name: string; readonly sql: string }[] | undefined> =>
  all(Object.entries(columns), async ([name, text]) => {
    const sql = await compiling.expression(`${path}.columns${keyPath(name)}`, text, scope, input.columns)
    return sql === undefined ? undefined : { name, sql }
  })

/** The first name that an earlier one equals. */
const doubled = (names: readonly string[]): string | undefined =>
  names.find((name, at) => names.findIndex((other) => sameName(other, name)) < at)

const refuseDoubled = ({ path, compiling }: At, key: string, name: string): undefined =>
  compiling.report(`${path}.${key}`, 'invalid', `Two columns would be called "${name}".`)

const filter = async (at: At, { where }: StepOf<'filter'>): Answer => {
  const sql = await at.compiling.condition(`${at.path}.where`, where, at.input.columns)
  if (sql === undefined) return undefined
  return { sql: `SELECT * FROM ${from(at)} WHERE ${sql}`, columns: at.input.columns }
}

const derive = async (at: At, { columns }: StepOf<'derive'>): Answer => {
  const derived = await expressions(at, columns, 'scalar')
  if (derived === undefined) return undefined
  const twice = doubled(derived.map(({ name }) => name))
  if (twice !== undefined) return refuseDoubled(at, 'columns', twice)
  const kept = at.input.columns.map(({ name }) => {
    const anew = derived.find((column) => sameName(column.name, name))
    return anew === undefined ? quoteName(name) : `${anew.sql} AS ${quoteName(anew.name)}`
  })
  const added = derived
    .filter(({ name }) => findColumn(at.input.columns, name) === undefined)
    .map(({ name, sql }) => `${sql} AS ${quoteName(name)}`)
  return describe(at, `SELECT ${[...kept, ...added].join(', ')} FROM ${from(at)}`)
}

const select = async (at: At, { columns }: StepOf<'select'>): Answer => {
  const names = await columnNames(at, 'columns', columns)
  const twice = doubled(names ?? [])
  if (twice !== undefined) return refuseDoubled(at, 'columns', twice)
  return names && describe(at, `SELECT ${nameList(names)} FROM ${from(at)}`)
}

const drop = async (at: At, { columns }: StepOf<'drop'>): Answer => {
  const names = await columnNames(at, 'columns', columns)
  if (names === undefined) return undefined
  const kept = at.input.columns.map(({ name }) => name).filter((name) => !names.includes(name))
  if (kept.length === 0) {
    return at.compiling.report(`${at.path}.columns`, 'invalid', 'At least one column must stay.')
  }
  return describe(at, `SELECT ${nameList(kept)} FROM ${from(at)}`)
}

const rename = async (at: At, { columns }: StepOf<'rename'>): Answer => {
  const renamed = await keyedColumns(at, columns)
  if (renamed === undefined) return undefined
  const names = at.input.columns.map(({ name }) => ({
    name,
    to: renamed.find((column) => column.name === name)?.value ?? name
  }))
  const twice = doubled(names.map(({ to }) => to))
  if (twice !== undefined) return refuseDoubled(at, 'columns', twice)
  const list = names.map(({ name, to }) => `${quoteName(name)} AS ${quoteName(to)}`)
  return describe(at, `SELECT ${list.join(', ')} FROM ${from(at)}`)
}

const cast = async (at: At, { columns }: StepOf<'cast'>): Answer => {
  const casts = await keyedColumns(at, columns)
  if (casts === undefined) return undefined
  const list = at.input.columns.map(({ name }) => {
    const type = casts.find((column) => column.name === name)?.value
    return type === undefined
      ? quoteName(name)
      : `CAST(${quoteName(name)} AS ${ENGINE_TYPES[type]}) AS ${quoteName(name)}`
  })
  return describe(at, `SELECT ${list.join(', ')} FROM ${from(at)}`)
}

const aggregate = async (at: At, { groupBy = [], columns = {} }: StepOf<'aggregate'>): Answer => {
  const groups = await columnNames(at, 'groupBy', groupBy)
  const aggregates = await expressions(at, columns, 'aggregate')
  if (groups === undefined || aggregates === undefined) return undefined
  const twice = doubled([...groups, ...aggregates.map(({ name }) => name)])
  if (twice !== undefined) return refuseDoubled(at, 'columns', twice)
  const list = [
    ...groups.map(quoteName),
    ...aggregates.map(({ name, sql }) => `${sql} AS ${quoteName(name)}`)
  ]
  if (list.length === 0) {
    return at.compiling.report(at.path, 'invalid', 'An aggregate needs columns to group by or to compute.')
  }
  const by = groups.length === 0 ? '' : ` GROUP BY ${nameList(groups)}`
  return describe(at, `SELECT ${list.join(', ')} FROM ${from(at)}${by}`)
}

const sort = async (at: At, { by }: StepOf<'sort'>): Answer => {
  const keys = await all(by, async ({ column, descending = false }, index) => {
    const found = at.compiling.column(`${at.path}.by[${index}].column`, column, at.input.columns)
    return found && `${quoteName(found.name)} ${descending ? 'DESC' : 'ASC'} NULLS LAST`
  })
  if (keys === undefined) return undefined
  const order = keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')}`
  return { sql: `SELECT * FROM ${from(at)}${order}`, columns: at.input.columns }
}

const distinct = async (at: At, { by = [] }: StepOf<'distinct'>): Answer => {
  const names = await columnNames(at, 'by', by)
  if (names === undefined) return undefined
  const on = names.length === 0 ? '' : ` ON (${nameList(names)})`
  return { sql: `SELECT DISTINCT${on} * FROM ${from(at)}`, columns: at.input.columns }
}

const unpivot = async (at: At, step: StepOf<'unpivot'>): Answer => {
  const names = await columnNames(at, 'columns', step.columns)
  if (names === undefined) return undefined
  const kept = at.input.columns.map(({ name }) => name).filter((name) => !names.includes(name))
  const twice = doubled([...kept, step.nameTo, step.valueTo])
  if (twice !== undefined) return refuseDoubled(at, 'nameTo', twice)
  const { nameTo, valueTo } = step
  const values = `${quoteName(valueTo)} FOR ${quoteName(nameTo)} IN (${nameList(names)})`
  // With NULLs, so that each row gives a row a column: a row is never dropped unasked.
  return describe(at, `SELECT * FROM ${from(at)} UNPIVOT INCLUDE NULLS (${values})`)
}

const sql = async (at: At, { query }: StepOf<'sql'>): Answer => {
  const checked = at.compiling.query(`${at.path}.query`, query)
  if (checked === undefined) return undefined
  const text = `WITH "input" AS NOT MATERIALIZED (SELECT * FROM ${from(at)}) SELECT * FROM (\n${checked}\n) AS "_query"`
  return at.compiling.describe(`${at.path}.query`, text, [at.input])
}

/** One step's SELECT over the rows that reach it; every problem in it is reported. */
export const compileStep = async (at: At, step: Step): Answer => {
  switch (step.op) {
    case 'filter':
      return filter(at, step)
    case 'derive':
      return derive(at, step)
    case 'select':
      return select(at, step)
    case 'drop':
      return drop(at, step)
    case 'rename':
      return rename(at, step)
    case 'cast':
      return cast(at, step)
    case 'aggregate':
      return aggregate(at, step)
    case 'sort':
      return sort(at, step)
    case 'limit':
      return {
        sql: `SELECT * FROM ${from(at)} LIMIT ${step.count} OFFSET ${step.offset ?? 0}`,
        columns: at.input.columns
      }
    case 'distinct':
      return distinct(at, step)
    case 'pivot':
      return compilePivot(at.path, step, at.input, at.compiling)
    case 'unpivot':
      return unpivot(at, step)
    case 'sql':
      return sql(at, step)
    // The union has brought the inputs together before the first step; an operator has become its own steps.
    case 'union':
    case 'operator':
      return { sql: `SELECT * FROM ${from(at)}`, columns: at.input.columns }
  }
}
