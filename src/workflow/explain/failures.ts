import { rewriteParameters } from '../expression.ts'
import type { Graph, GraphNode } from '../graph.ts'
import { BranchSpec } from '../nodes/branch.ts'
import { RuleSpec } from '../nodes/rule.ts'
import { TransformSpec } from '../nodes/transform-spec.ts'
import { ENGINE_TYPES, quoteName, triedSql } from '../sql-text.ts'
import type { Reading } from './explain-cell.ts'
import type { ExplainedFailure } from './explanation.ts'

type Trial = { readonly column: string | null; readonly text: string; readonly sql: string }

/** The expressions of one row at a node of an unfolded graph, in the order in which the first that fails is the reason. */
const trialsOf = ({ parameters }: Graph, { kind, spec }: GraphNode): readonly Trial[] => {
  const trial = (column: string | null, text: string): Trial => ({
    column,
    text,
    sql: `(${rewriteParameters(text, parameters)})`
  })
  const values = (columns: Readonly<Record<string, string>> = {}): readonly Trial[] =>
    Object.entries(columns).map(([column, text]) => trial(column, text))
  if (kind === 'rule') {
    const { rules = [] } = RuleSpec.safeParse(spec).data ?? {}
    return rules.map(({ when }) => trial(null, when))
  }
  if (kind !== 'transform') return []
  const step = TransformSpec.safeParse(spec).data?.steps[0]
  if (step?.op === 'filter') return [trial(null, step.where)]
  if (step?.op === 'derive') return values(step.columns)
  if (step?.op !== 'cast') return []
  return Object.entries(step.columns).map(([column, type]) => ({
    column,
    text: `${column} as ${type}`,
    sql: `CAST(${quoteName(column)} AS ${ENGINE_TYPES[type]})`
  }))
}

/** Which rule's values a rule node computes for a row; each is looked at for the rows of that rule alone. */
const settingsOf = ({ parameters }: Graph, { kind, spec }: GraphNode) => {
  if (kind !== 'rule') return []
  const { rules = [], otherwise = {}, mode } = RuleSpec.safeParse(spec).data ?? { mode: 'first' as const }
  const marks = rules.map(({ when }) => `coalesce((${rewriteParameters(when, parameters)}), false)`)
  const none = (until: number): readonly string[] => marks.slice(0, until).map((mark) => `NOT ${mark}`)
  const settings = rules.map(({ set = {} }, at) => ({
    set,
    where: [...(mode === 'first' ? none(at) : []), marks[at] ?? 'false']
  }))
  return [...settings, { set: otherwise, where: none(rules.length) }].flatMap(({ set, where }) =>
    Object.entries(set).map(([column, text]) => ({
      column,
      text,
      sql: `(${rewriteParameters(text, parameters)})`,
      where
    }))
  )
}

/** The conditions of a branch; in mode first, each is looked at for the rows that met none before it alone. */
const waysOf = ({ parameters }: Graph, { kind, spec }: GraphNode) => {
  if (kind !== 'branch') return []
  const { outputs, mode } = BranchSpec.safeParse(spec).data ?? { outputs: [], mode: 'all' as const }
  const asked = outputs.flatMap(({ when }) =>
    when === undefined ? [] : [{ text: when, sql: `(${rewriteParameters(when, parameters)})` }]
  )
  return asked.map(({ text, sql }, at) => ({
    column: null,
    text,
    sql,
    where: mode === 'first' ? asked.slice(0, at).map((before) => `NOT coalesce(${before.sql}, false)`) : []
  }))
}

/** The expressions that failed for rows of a table, which holds rows as they reached the node; each row is told once. */
export const failuresOf = async (
  reading: Reading,
  graph: Graph,
  node: GraphNode,
  table: string
): Promise<readonly ExplainedFailure[]> => {
  const told: ExplainedFailure[] = []
  const fine: string[] = []
  const conditions = trialsOf(graph, node)
  const trials = [
    ...conditions.map((trial) => ({ ...trial, where: [] })),
    ...settingsOf(graph, node),
    ...waysOf(graph, node)
  ]
  for (const { column, text, sql, where } of trials) {
    const tried = triedSql(sql)
    // A condition is asked of rows alone for which every one can be computed: TRY is around it.
    const chosen = where.map((condition) => `coalesce(TRY(${condition}), false)`)
    const failing = [...fine, ...chosen, `${tried} IS NULL`].join(' AND ')
    const rows = await reading.count(
      `SELECT count(*)::DOUBLE AS "count" FROM ${quoteName(table)} WHERE ${failing}`
    )
    fine.push(
      where.length === 0 ? `${tried} IS NOT NULL` : `NOT (${[...chosen, `${tried} IS NULL`].join(' AND ')})`
    )
    if (rows === 0) continue
    const one = quoteName(`${table} failing`)
    await reading.run(
      `CREATE OR REPLACE TEMP TABLE ${one} AS FROM ${quoteName(table)} WHERE ${failing} LIMIT 1`
    )
    const message = await reading.failure(`SELECT ${sql} AS "_value" FROM ${one}`)
    if (message !== null) told.push({ column, text, message, rows })
  }
  return told
}
