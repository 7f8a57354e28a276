import type { GraphNode, Parameters } from '../graph.ts'
import { HttpSpec } from '../nodes/http.ts'
import { JoinSpec } from '../nodes/join.ts'
import { RuleSpec } from '../nodes/rule.ts'
import { SourceSpec } from '../nodes/source.ts'
import { TransformSpec, type Step } from '../nodes/transform-spec.ts'
import { bindArguments } from './bind-arguments.ts'
import { expandOperator } from './expand-operator.ts'
import { isAddress } from './references.ts'
import type { Moved, ResolvedSpec, Resolving } from './resolving.ts'

type Spec = Readonly<Record<string, unknown>>
/** Undefined leaves the node as it is: nothing to resolve, nothing that can be read, or what is missing was reported. */
type Answer = ResolvedSpec | undefined

const without = (spec: Spec, ...keys: readonly string[]): Spec =>
  Object.fromEntries(Object.entries(spec).filter(([key]) => !keys.includes(key)))

const resolveTransform = (raw: Spec, resolving: Resolving): Answer => {
  const spec = TransformSpec.safeParse(raw).data
  if (spec === undefined || spec.steps.every(({ op }) => op !== 'operator')) return undefined
  const steps: Step[] = []
  const moved: Moved[] = []
  let added: Parameters = {}
  let isComplete = true
  for (const [index, step] of spec.steps.entries()) {
    const to = `.steps[${index}]`
    if (step.op !== 'operator') {
      moved.push({ from: `.steps[${steps.length}]`, to })
      steps.push(step)
      continue
    }
    const item = resolving.use('operator', { name: step.name, path: `${to}.name` })
    if (item === undefined) {
      isComplete = false
      continue
    }
    const taken = { ...resolving.parameters, ...added }
    const bound = bindArguments(item.spec.parameters, step.arguments ?? {}, taken)
    for (const { path, message } of bound.problems) {
      isComplete = false
      resolving.report(`${to}.arguments${path}`, 'misfit', `Operator "${step.name}": ${message}`)
    }
    added = { ...added, ...bound.added }
    for (const inner of expandOperator(item.spec, bound)) {
      moved.push({ from: `.steps[${steps.length}]`, to, item: `operator "${step.name}"` })
      steps.push(inner)
    }
  }
  return isComplete ? { spec: { ...raw, steps }, moved, added } : undefined
}

const resolveRule = (raw: Spec, resolving: Resolving): Answer => {
  const spec = RuleSpec.safeParse(raw).data
  if (spec?.ruleSet === undefined || (spec.rules ?? []).length > 0) return undefined
  const { name, version } = spec.ruleSet
  const item = resolving.use('rule-set', { name, version, path: '.ruleSet' })
  if (item === undefined) return undefined
  const moved = item.spec.rules.map((rule, index) => ({
    from: `.rules[${index}]`,
    to: '.ruleSet',
    item: `rule set "${name}", rule "${rule.name}"`
  }))
  return { spec: { ...without(raw, 'ruleSet'), rules: item.spec.rules }, moved, added: {} }
}

const resolveJoin = (raw: Spec, resolving: Resolving): Answer => {
  const spec = JoinSpec.safeParse(raw).data
  if (spec?.join === undefined || (spec.on ?? []).length > 0 || spec.onExpression !== undefined)
    return undefined
  const item = resolving.use('join', { name: spec.join, path: '.join' })
  if (item === undefined) return undefined
  const { type, on, onExpression, suffix } = item.spec
  const own = without(raw, 'join', 'on', 'type')
  const given = Object.entries({ on, onExpression, suffix }).filter(([, value]) => value !== undefined)
  return {
    // The node's own suffix goes before the item's.
    spec: { ...Object.fromEntries(given), ...own, type },
    moved: ['.on', '.onExpression', '.suffix'].map((from) => ({
      from,
      to: '.join',
      item: `join "${spec.join ?? ''}"`
    })),
    added: {}
  }
}

const resolveHttp = (raw: Spec, resolving: Resolving): Answer => {
  const spec = HttpSpec.safeParse(raw).data
  if (spec === undefined || (spec.template === undefined) === (spec.request === undefined)) return undefined
  const template =
    spec.template === undefined
      ? undefined
      : resolving.use('request-template', { name: spec.template, path: '.template' })
  const request = template?.spec ?? spec.request
  if (request === undefined || isAddress(request.endpoint)) return undefined
  const path = template === undefined ? '.request.endpoint' : '.template'
  const endpoint = resolving.use('endpoint', { name: request.endpoint, path })
  if (endpoint === undefined) return undefined
  const { authProfile, baseUrl } = endpoint.spec
  // Of the kind `none`, it adds nothing to a request; that it is there, and which one it was, is written down.
  if (authProfile !== undefined && resolving.use('auth-profile', { name: authProfile, path }) === undefined)
    return undefined
  const headers = { ...endpoint.spec.headers, ...request.headers }
  const filled = {
    ...request,
    endpoint: baseUrl,
    ...(Object.keys(headers).length === 0 ? {} : { headers })
  }
  const moved =
    template === undefined
      ? []
      : [{ from: '.request', to: '.template', item: `request template "${template.name}"` }]
  return { spec: { ...without(raw, 'template'), request: filled }, moved, added: {} }
}

/** The version that is read is named, so that whoever checks the rows need not ask for the latest again. */
const resolveSource = (raw: Spec, resolving: Resolving): Answer => {
  const schema = SourceSpec.safeParse(raw).data?.schema
  if (schema === undefined) return undefined
  const item = resolving.use('schema', { ...schema, path: '.schema' })
  if (item === undefined) return undefined
  return { spec: { ...raw, schema: { name: item.name, version: item.version } }, moved: [], added: {} }
}

/** A node's spec with the items that it names filled in. */
export const resolveNode = ({ kind, spec }: GraphNode, resolving: Resolving): Answer => {
  switch (kind) {
    case 'transform':
      return resolveTransform(spec, resolving)
    case 'rule':
      return resolveRule(spec, resolving)
    case 'join':
      return resolveJoin(spec, resolving)
    case 'http':
      return resolveHttp(spec, resolving)
    case 'source':
      return resolveSource(spec, resolving)
    case 'branch':
    case 'sink':
      return undefined
  }
}
