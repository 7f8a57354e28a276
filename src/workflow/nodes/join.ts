import { z } from 'zod'
import { findColumn, quoteName, sameName } from '../sql-text.ts'
import type { Column } from '../value-type.ts'
import { all, oneInput, readerOf, type Compiling, type Reached } from './node-type.ts'
import { ColumnName, Expression } from './spec-parts.ts'

export const JoinType = z.enum(['inner', 'left', 'right', 'full', 'semi', 'anti']).default('inner')

export const JoinSpec = z.strictObject({
  type: JoinType,
  on: z.array(z.strictObject({ left: ColumnName, right: ColumnName })).optional(),
  onExpression: Expression.optional(),
  suffix: z.string().min(1).max(64).optional(),
  join: z.string().optional()
})
export type JoinSpec = z.infer<typeof JoinSpec>

type RightColumn = Column & { readonly from: string }

/** The right side's columns as the join names them: with the suffix where the left side has the name, too. */
const nameRight = (
  left: readonly Column[],
  right: readonly Column[],
  suffix: string
): readonly RightColumn[] =>
  right.map((column) => ({
    ...column,
    from: column.name,
    name: findColumn(left, column.name) === undefined ? column.name : column.name + suffix
  }))

const clash = (left: readonly Column[], right: readonly RightColumn[]): string | undefined =>
  right.find(
    ({ name }, at) =>
      findColumn(left, name) !== undefined ||
      right.some((other, index) => index < at && sameName(other.name, name))
  )?.name

const keySql = async (
  spec: JoinSpec,
  left: Reached,
  right: Reached,
  { column }: Compiling,
  named: readonly RightColumn[]
): Promise<readonly string[] | undefined> =>
  all(spec.on ?? [], async (key, index) => {
    const ofLeft = column(`.on[${index}].left`, key.left, left.columns)
    const ofRight = column(`.on[${index}].right`, key.right, right.columns)
    const asNamed = named.find(({ from }) => from === ofRight?.name)
    if (ofLeft === undefined || asNamed === undefined) return undefined
    return `"_left".${quoteName(ofLeft.name)} = "_right".${quoteName(asNamed.name)}`
  })

/** Puts rows of two inputs side by side where the keys are equal and the expression is true. */
export const readJoin = readerOf<JoinSpec>({
  kind: 'join',
  schema: JoinSpec,
  inputs: () => [oneInput('left'), oneInput('right')],
  outputs: () => ['out'],
  expressions: ({ onExpression }) =>
    onExpression === undefined ? [] : [{ path: '.onExpression', text: onExpression, scope: 'scalar' }],
  invalid: ({ on = [], onExpression, join }) => {
    const isPlain = on.length > 0 || onExpression !== undefined
    if (join === undefined) {
      return isPlain
        ? []
        : [{ path: '.on', message: 'A join needs a pair of columns to match, or an expression.' }]
    }
    return isPlain
      ? [
          {
            path: '.join',
            message: 'A join node names a join of the catalog or says its own columns, not both.'
          }
        ]
      : []
  },
  notBuilt: () => [],
  compile: async (spec, compiling) => {
    // Still by name, it was not found in the catalog, which has been reported.
    if (spec.join !== undefined) return undefined
    const [left] = compiling.input('left')
    const [right] = compiling.input('right')
    if (left === undefined || right === undefined) return undefined
    const named = nameRight(left.columns, right.columns, spec.suffix ?? '_right')
    const doubled = clash(left.columns, named)
    if (doubled !== undefined) {
      const message = `Both sides would give a column "${doubled}"; choose another suffix, or rename one before.`
      return compiling.report('.suffix', 'invalid', message)
    }
    const keys = await keySql(spec, left, right, compiling, named)
    const { onExpression } = spec
    const reaching = [...left.columns, ...named]
    const condition =
      onExpression === undefined
        ? []
        : [await compiling.expression('.onExpression', onExpression, 'scalar', reaching)]
    if (keys === undefined || condition.includes(undefined)) return undefined
    const oneSided = spec.type === 'semi' || spec.type === 'anti'
    const columns = [
      ...left.columns.map(({ name }) => `"_left".${quoteName(name)}`),
      ...(oneSided ? [] : named.map(({ name }) => `"_right".${quoteName(name)}`))
    ]
    const rightColumns = named.map(({ from, name }) => `${quoteName(from)} AS ${quoteName(name)}`)
    const sql =
      `SELECT ${columns.join(', ')} FROM ${quoteName(left.relation)} AS "_left" ` +
      `${spec.type.toUpperCase()} JOIN (SELECT ${rightColumns.join(', ')} FROM ${quoteName(right.relation)}) AS "_right" ` +
      `ON ${[...keys, ...condition].join(' AND ')}`
    const out = await compiling.describe('', sql, [left, right])
    return out === undefined ? undefined : { ports: { out } }
  }
})
