import type { GraphNode } from '../graph.ts'
import { BranchSpec } from '../nodes/branch.ts'
import { HttpSpec } from '../nodes/http.ts'
import { JoinSpec } from '../nodes/join.ts'
import { RuleSpec } from '../nodes/rule.ts'
import { TransformSpec } from '../nodes/transform-spec.ts'
import { sameName } from '../sql-text.ts'
import { distinctOrigins, indirect, TRANSFORMATION, type Origin } from './influence.ts'
import {
  decidingOrigins,
  expressionOrigins,
  findTraced,
  namesOf,
  originsOf,
  unknownColumns,
  withRows,
  type Traced,
  type TracedColumn
} from './traced.ts'
import { traceStep, traceUnion } from './trace-step.ts'

/** What reaches a node, by port, in the order of its edges. */
export type TracedInputs = Readonly<Record<string, readonly Traced[]>>

const traceTransform = (raw: unknown, inputs: readonly Traced[]): Traced | null => {
  const spec = TransformSpec.safeParse(raw).data
  const [first] = inputs
  if (spec === undefined || first === undefined) return null
  const [opening] = spec.steps
  let traced = opening?.op === 'union' ? traceUnion(inputs, opening.all === false) : first
  for (const step of spec.steps) {
    const next = traceStep(traced, step)
    if (next === null) return null
    traced = next
  }
  return traced
}

const traceJoin = (raw: unknown, left: Traced | undefined, right: Traced | undefined): Traced | null => {
  const spec = JoinSpec.safeParse(raw).data
  if (spec === undefined || spec.join !== undefined || left === undefined || right === undefined) return null
  const { type, on = [], onExpression, suffix = '_right' } = spec
  const named = right.columns.map(({ name, from }) => ({
    name: findTraced(left, name) === undefined ? name : name + suffix,
    from
  }))
  const both: Traced = {
    columns: [...left.columns, ...named],
    rows: distinctOrigins([...left.rows, ...right.rows])
  }
  const joined = withRows(both, [
    ...on.flatMap((pair) => [
      ...originsOf(left, [pair.left], indirect('JOIN')),
      ...originsOf(right, [pair.right], indirect('JOIN'))
    ]),
    ...(onExpression === undefined ? [] : decidingOrigins(both, onExpression, 'JOIN'))
  ])
  return type === 'semi' || type === 'anti' ? { ...joined, columns: left.columns } : joined
}

/** The value of a column that rules set, where one of them matches; else what it was. */
const ruledColumn = (
  traced: Traced,
  { rules = [], otherwise = {} }: RuleSpec,
  name: string
): readonly Origin[] => {
  const setting = (set: Readonly<Record<string, string>>): string | undefined =>
    Object.entries(set).find(([other]) => sameName(other, name))?.[1]
  const lastSetting = rules.findLastIndex(({ set }) => setting(set ?? {}) !== undefined)
  const last = setting(otherwise) === undefined ? lastSetting : rules.length - 1
  const texts = [...rules.map(({ set }) => setting(set ?? {})), setting(otherwise)]
  return distinctOrigins([
    ...(findTraced(traced, name)?.from ?? []),
    ...texts.flatMap((text) => (text === undefined ? [] : expressionOrigins(traced, text))),
    ...rules.slice(0, last + 1).flatMap(({ when }) => decidingOrigins(traced, when, 'CONDITIONAL'))
  ])
}

const traceRule = (raw: unknown, input: Traced | undefined, port: string): Traced | null => {
  const spec = RuleSpec.safeParse(raw).data
  if (spec === undefined || spec.ruleSet !== undefined || input === undefined) return null
  const rules = spec.rules ?? []
  const last = rules.findLastIndex(({ reject }) => reject !== undefined)
  const rejecting = rules.slice(0, last + 1).flatMap(({ when }) => decidingOrigins(input, when, 'FILTER'))
  if (port === 'rejected') {
    const why = rules.slice(0, last + 1).flatMap(({ when }) => decidingOrigins(input, when, 'CONDITIONAL'))
    const marks = ['_rule', '_reason'].map((name): TracedColumn => ({ name, from: distinctOrigins(why) }))
    const kept = input.columns.filter(({ name }) => !marks.some((mark) => sameName(mark.name, name)))
    return withRows({ ...input, columns: [...kept, ...marks] }, rejecting)
  }
  const names = [...rules.map(({ set }) => set), spec.otherwise].flatMap((set) => Object.keys(set ?? {}))
  const kept = input.columns.map((column) =>
    names.some((name) => sameName(name, column.name))
      ? { name: column.name, from: ruledColumn(input, spec, column.name) }
      : column
  )
  const added = names
    .filter(
      (name, at) =>
        findTraced(input, name) === undefined && names.findIndex((other) => sameName(other, name)) === at
    )
    .map((name) => ({ name, from: ruledColumn(input, spec, name) }))
  return withRows({ ...input, columns: [...kept, ...added] }, rejecting)
}

const traceBranch = (raw: unknown, input: Traced | undefined, port: string): Traced | null => {
  const spec = BranchSpec.safeParse(raw).data
  const at = spec?.outputs.findIndex(({ name }) => name === port) ?? -1
  if (spec === undefined || input === undefined || at < 0) return null
  const before =
    spec.mode === 'first' || spec.outputs[at]?.when === undefined ? spec.outputs.slice(0, at) : []
  const asked = [...before, ...spec.outputs.slice(at, at + 1)].flatMap(({ when }) => when ?? [])
  return withRows(
    input,
    asked.flatMap((when) => decidingOrigins(input, when, 'FILTER'))
  )
}

/** Columns of an answer come from whatever stands in `{{…}}` of the request; the others go past it. */
const traceHttp = (raw: unknown, input: Traced | undefined, names: readonly string[]): Traced | null => {
  const spec = HttpSpec.safeParse(raw).data
  if (spec === undefined || spec.template !== undefined || input === undefined) return null
  const text = JSON.stringify([spec.request, spec.idempotencyKey])
  const asked = namesOf(input).filter((name) => text.includes(`{{${JSON.stringify(name).slice(1, -1)}}}`))
  const { columns = {}, indexTo } = spec.response ?? {}
  const answered = [...Object.keys(columns), ...(indexTo === undefined ? [] : [indexTo])]
  return {
    columns: names.map((name) => {
      const isAnswered = answered.some((other) => sameName(other, name))
      const kept = isAnswered ? undefined : findTraced(input, name)
      return kept ?? { name, from: originsOf(input, asked, TRANSFORMATION) }
    }),
    rows: input.rows
  }
}

const traceKnown = (
  { kind, spec }: GraphNode,
  port: string,
  inputs: TracedInputs,
  names: readonly string[]
): Traced | null => {
  const [input] = inputs['in'] ?? []
  switch (kind) {
    case 'transform':
      // Which expression failed first depends on whatever an expression reads.
      if (port !== 'out') return null
      return traceTransform(spec, inputs['in'] ?? [])
    case 'join':
      return traceJoin(spec, inputs['left']?.[0], inputs['right']?.[0])
    case 'rule':
      return traceRule(spec, input, port)
    case 'branch':
      return traceBranch(spec, input, port)
    case 'http':
      return traceHttp(spec, input, names)
    case 'sink':
    case 'source':
      return input ?? null
  }
}

/**
 * Origins of the columns `names` that leave a node by a port. Where its spec does not tell (a query, a part of the
 * catalog), columns of the same name are taken for themselves and the others may come from any.
 */
export const traceNode = (
  node: GraphNode,
  port: string,
  inputs: TracedInputs,
  names: readonly string[]
): Traced => {
  const traced = traceKnown(node, port, inputs, names)
  const all = Object.values(inputs).flat()
  const unknown = unknownColumns(all, names)
  if (traced === null) return unknown
  const columns = names.map(
    (name) => findTraced(traced, name) ?? findTraced(unknown, name) ?? { name, from: [] }
  )
  return { columns: columns.map(({ from }, at) => ({ name: names[at] ?? '', from })), rows: traced.rows }
}
