import { quoteName } from '../sql-text.ts'
import {
  keyPath,
  oneInput,
  readerOf,
  type Compiling,
  type ExpressionAt,
  type Leaving,
  type Reached
} from './node-type.ts'
import { pivotExpressions } from './pivot.ts'
import { TransformSpec, type Step } from './transform-spec.ts'
import { compileStep } from './transform-steps.ts'
import { compileTried, nothingRejected, withParts } from './transform-tried.ts'

/** The expressions in a step; `path` leads to it. */
export const stepExpressions = (path: string, step: Step): ExpressionAt[] => {
  const byColumn = (
    scope: ExpressionAt['scope'],
    columns: Readonly<Record<string, string>>
  ): ExpressionAt[] =>
    Object.entries(columns).map(([name, text]) => ({ path: `${path}.columns${keyPath(name)}`, text, scope }))
  switch (step.op) {
    case 'filter':
      return [{ path: `${path}.where`, text: step.where, scope: 'scalar' }]
    case 'derive':
      return byColumn('scalar', step.columns)
    case 'aggregate':
      return byColumn('aggregate', step.columns ?? {})
    case 'pivot':
      return pivotExpressions(path, step)
    case 'sql':
      return [{ path: `${path}.query`, text: step.query, scope: 'query' }]
    case 'select':
    case 'drop':
    case 'rename':
    case 'cast':
    case 'sort':
    case 'limit':
    case 'distinct':
    case 'unpivot':
    case 'union':
    case 'operator':
      return []
  }
}

/** Steps that leave the columns as they are, also when something is wrong with them. */
const KEEPS_COLUMNS: ReadonlySet<Step['op']> = new Set(['filter', 'sort', 'limit', 'distinct'])

const isUnion = ({ steps }: TransformSpec): boolean => steps[0]?.op === 'union'

/** What the first step sees: the one input, or the rows of all under each other, columns matched by name. */
const gather = async (spec: TransformSpec, compiling: Compiling): Promise<Leaving | undefined> => {
  const inputs = compiling.input('in')
  const [first] = inputs
  if (first === undefined) return undefined
  const selects = inputs.map(({ relation }) => `SELECT * FROM ${quoteName(relation)}`)
  const step = spec.steps[0]
  if (step?.op !== 'union') return { sql: selects[0] ?? '', columns: first.columns }
  const sql = selects.join(step.all === false ? ' UNION BY NAME ' : ' UNION ALL BY NAME ')
  // Alone, a union without duplicates still drops them.
  const text =
    step.all === false && inputs.length === 1 ? `SELECT DISTINCT * FROM ${quoteName(first.relation)}` : sql
  return compiling.describe('.steps[0]', text, inputs)
}

/** Runs rows through steps, one after the other; each step is a SELECT over the one before it. */
export const readTransform = readerOf<TransformSpec>({
  kind: 'transform',
  schema: TransformSpec,
  inputs: (spec) => [isUnion(spec) ? { name: 'in', min: 1, max: Infinity } : oneInput('in')],
  outputs: () => ['out', 'rejected'],
  expressions: ({ steps }) => steps.flatMap((step, index) => stepExpressions(`.steps[${index}]`, step)),
  invalid: ({ steps }) =>
    steps.flatMap((step, index) =>
      step.op === 'union' && index > 0
        ? [
            {
              path: `.steps[${index}]`,
              message: 'A union must be the first step: it brings the inputs together.'
            }
          ]
        : []
    ),
  notBuilt: () => [],
  compile: async (spec, compiling) => {
    // Still by name, an operator was not found in the catalog, which has been reported.
    if (spec.steps.some(({ op }) => op === 'operator')) return undefined
    const gathered = await gather(spec, compiling)
    if (gathered === undefined) return undefined
    const parts = [gathered]
    let isBroken = false
    for (const [index, step] of spec.steps.entries()) {
      if (step.op === 'union') continue
      const before = parts.at(-1) ?? gathered
      const input: Reached = { relation: `_${parts.length - 1}`, columns: before.columns }
      // oxlint-disable-next-line no-await-in-loop -- a step needs the columns of the one before it
      const leaving = await compileStep({ path: `.steps[${index}]`, input, compiling }, step)
      if (leaving === undefined) {
        isBroken = true
        // What follows is still looked at where its columns are known, so that all its problems are told at once.
        if (KEEPS_COLUMNS.has(step.op)) continue
        return undefined
      }
      parts.push(leaving)
    }
    if (isBroken) return undefined
    const last = parts.at(-1) ?? gathered
    const stages = spec.steps.flatMap((step, index) => (step.op === 'union' ? [] : [{ step, index }]))
    const tried = compiling.rejectsRows ? await compileTried({ stages, parts, compiling }) : undefined
    if (tried !== undefined) return tried
    const out: Leaving =
      parts.length === 1 ? last : { sql: chained(parts.slice(0, -1), last.sql), columns: last.columns }
    return { ports: compiling.isRead('rejected') ? { out, rejected: nothingRejected(gathered) } : { out } }
  }
})

const chained = (before: readonly Leaving[], last: string): string =>
  withParts(
    before.map(({ sql }, at) => ({ name: `_${at}`, sql })),
    last
  )
