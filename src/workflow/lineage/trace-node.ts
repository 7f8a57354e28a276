import type { GraphNode } from '../graph.ts'
import { BranchSpec } from '../nodes/branch.ts'
import { HttpSpec, templateColumns } from '../nodes/http.ts'
import { JoinSpec } from '../nodes/join.ts'
import { RuleSpec } from '../nodes/rule.ts'
import { TransformSpec, type Step } from '../nodes/transform-spec.ts'
import { rowwise } from '../nodes/transform-tried.ts'
import { quoteName, sameName } from '../sql-text.ts'
import { distinctOrigins, indirect, TRANSFORMATION, type Origin } from './influence.ts'
import {
  decidingOrigins,
  expressionOrigins,
  findTraced,
  originsOf,
  unknownColumns,
  withRows,
  type Traced,
  type TracedColumn
} from './traced.ts'
import { traceStep, traceUnion } from './trace-step.ts'

/** What reaches a node, by port, in the order of its edges. */
export type TracedInputs = Readonly<Record<string, readonly Traced[]>>

/** What a step tries for each row. */
const triedTexts = (step: Step): readonly string[] => {
  if (step.op === 'filter') return [step.where]
  if (step.op === 'derive') return Object.values(step.columns)
  return step.op === 'cast' ? Object.keys(step.columns).map(quoteName) : []
}

/** What the steps of a transform begin with. */
const gatherTraced = ([opening]: readonly Step[], inputs: readonly Traced[]): Traced | undefined =>
  opening?.op === 'union' && inputs.length > 0 ? traceUnion(inputs, opening.all === false) : inputs[0]

/** Rows leave as they came where an expression fails: whatever the expressions read decides which, and why. */
const traceRejected = (raw: unknown, inputs: readonly Traced[]): Traced | null => {
  const { steps = [] } = TransformSpec.safeParse(raw).data ?? {}
  const gathered = gatherTraced(steps, inputs)
  if (gathered === undefined) return null
  const own = steps.filter(({ op }) => op !== 'union')
  const why: Origin[] = []
  const deciding: Origin[] = []
  let traced = gathered
  for (const step of own.slice(0, rowwise(own))) {
    for (const text of triedTexts(step)) {
      why.push(...decidingOrigins(traced, text, 'CONDITIONAL'))
      deciding.push(...decidingOrigins(traced, text, 'FILTER'))
    }
    traced = traceStep(traced, step) ?? traced
  }
  const reason: TracedColumn = { name: '_reason', from: distinctOrigins(why) }
  const kept = gathered.columns.filter(({ name }) => !sameName(name, reason.name))
  return withRows({ ...gathered, columns: [...kept, reason] }, deciding)
}

const traceTransform = (raw: unknown, inputs: readonly Traced[]): Traced | null => {
  const spec = TransformSpec.safeParse(raw).data
  const gathered = spec && gatherTraced(spec.steps, inputs)
  if (spec === undefined || gathered === undefined) return null
  let traced = gathered
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

/**
 * Columns of an answer come from whatever stands in `{{…}}` of the request; the others go past it. The answer decides,
 * too, where its elements become rows, and by which port a row leaves.
 */
const traceHttp = (
  raw: unknown,
  input: Traced | undefined,
  port: string,
  names: readonly string[]
): Traced | null => {
  const spec = HttpSpec.safeParse(raw).data
  if (spec?.request === undefined || spec.template !== undefined || input === undefined) return null
  const { columns = {}, indexTo, explode } = spec.response ?? {}
  const asked = templateColumns(spec.request, spec.idempotencyKey)
  const answered = [
    ...Object.keys(columns),
    ...(indexTo === undefined ? [] : [indexTo]),
    ...(port === 'rejected' ? ['_status', '_reason'] : [])
  ]
  const decides = explode !== undefined || spec.onError === 'reject'
  return {
    columns: names.map((name) => {
      const isAnswered = answered.some((other) => sameName(other, name))
      const kept = isAnswered ? undefined : findTraced(input, name)
      return kept ?? { name, from: originsOf(input, asked, TRANSFORMATION) }
    }),
    rows: decides
      ? distinctOrigins([...input.rows, ...originsOf(input, asked, indirect('FILTER'))])
      : input.rows
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
      return port === 'rejected'
        ? traceRejected(spec, inputs['in'] ?? [])
        : traceTransform(spec, inputs['in'] ?? [])
    case 'join':
      return traceJoin(spec, inputs['left']?.[0], inputs['right']?.[0])
    case 'rule':
      return traceRule(spec, input, port)
    case 'branch':
      return traceBranch(spec, input, port)
    case 'http':
      return traceHttp(spec, input, port, names)
    case 'source': {
      if (input === undefined || port !== 'rejected') return input ?? null
      return { ...input, columns: input.columns.filter(({ name }) => !sameName(name, '_reason')) }
    }
    case 'sink':
      return input ?? null
  }
}

/**
 * Origins of the columns `names` that leave a node by a port. Where its spec does not tell (a query, a part of the
 * catalog), they may come from any column that came in.
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
