import type { Graph, GraphNode } from '../graph.ts'
import { reachedBy } from '../lineage/column-lineage.ts'
import { BranchSpec } from '../nodes/branch.ts'
import { JoinSpec } from '../nodes/join.ts'
import { RuleSpec } from '../nodes/rule.ts'
import { TransformSpec, type Step } from '../nodes/transform-spec.ts'
import { sameName } from '../sql-text.ts'
import type { PlannedRelation } from '../plan-types.ts'
import type { ExplainedPlace, ExplainedText } from './explanation.ts'
import type { Unfolded } from './unfold.ts'

const condition = (text: string): ExplainedText => ({ role: 'condition', column: null, text })
const keys = (names: readonly string[]): ExplainedText[] =>
  names.length === 0 ? [] : [{ role: 'keys', column: null, text: names.join(', ') }]

const stepTexts = (step: Step): readonly ExplainedText[] => {
  const values = (columns: Readonly<Record<string, string>>): ExplainedText[] =>
    Object.entries(columns).map(([column, text]) => ({ role: 'value', column, text }))
  switch (step.op) {
    case 'filter':
      return [condition(step.where)]
    case 'derive':
      return values(step.columns)
    case 'rename':
      return Object.entries(step.columns).map(([text, column]) => ({ role: 'value', column, text }))
    case 'cast':
      return Object.entries(step.columns).map(([column, type]) => ({
        role: 'value',
        column,
        text: `as ${type}`
      }))
    case 'aggregate':
      return [...values(step.columns ?? {}), ...keys(step.groupBy ?? [])]
    case 'pivot':
      return [
        ...(typeof step.using === 'string'
          ? [{ role: 'value', column: null, text: step.using } as const]
          : values(step.using)),
        condition(step.on),
        ...keys(step.groupBy ?? [])
      ]
    case 'distinct':
      return keys(step.by ?? [])
    case 'sort':
      return keys(
        step.by.map(({ column, descending }) => `${column}${descending === true ? ' descending' : ''}`)
      )
    case 'limit':
      return [
        condition(`${step.count} rows${step.offset === undefined ? '' : `, after the first ${step.offset}`}`)
      ]
    case 'unpivot':
      return [{ role: 'value', column: step.valueTo, text: step.columns.join(', ') }]
    case 'sql':
      return [{ role: 'query', column: null, text: step.query }]
    case 'select':
    case 'drop':
    case 'union':
    case 'operator':
      return []
  }
}

const nodeTexts = (node: GraphNode, port: string): readonly ExplainedText[] => {
  switch (node.kind) {
    case 'transform':
      return (TransformSpec.safeParse(node.spec).data?.steps ?? []).flatMap(stepTexts)
    case 'join': {
      const { on = [], onExpression } = JoinSpec.safeParse(node.spec).data ?? {}
      return [
        ...on.map(({ left, right }) => condition(`${left} = ${right}`)),
        ...(onExpression === undefined ? [] : [condition(onExpression)])
      ]
    }
    case 'rule': {
      const { rules = [], otherwise = {} } = RuleSpec.safeParse(node.spec).data ?? {}
      const set = (columns: Readonly<Record<string, string>>): ExplainedText[] =>
        Object.entries(columns).map(([column, text]) => ({ role: 'value', column, text }))
      return [...rules.flatMap((rule) => [condition(rule.when), ...set(rule.set ?? {})]), ...set(otherwise)]
    }
    case 'branch': {
      const outputs = BranchSpec.safeParse(node.spec).data?.outputs ?? []
      return outputs.flatMap(({ name, when }) =>
        name === port && when !== undefined ? [condition(when)] : []
      )
    }
    case 'source':
    case 'http':
    case 'sink':
      return []
  }
}

/** What a step's texts say about some columns of it: a value of another column has no part in these. */
export const textsAbout = (
  texts: readonly ExplainedText[],
  names: readonly string[]
): readonly ExplainedText[] =>
  texts.filter(({ column }) => column === null || names.some((name) => sameName(name, column)))

/** A relation of an unfolded plan in words: the node and step that it belongs to, and what stands there. */
export const describeRelation = (
  { graph, parts }: Unfolded,
  relation: PlannedRelation
): { readonly place: ExplainedPlace; readonly texts: readonly ExplainedText[] } | undefined => {
  const node = graph.nodes.find(({ id }) => id === relation.nodeId)
  const part = parts.get(relation.nodeId)
  if (node === undefined || part === undefined) return undefined
  const edge = edgeOf(graph, relation.id)
  return {
    place: {
      nodeId: part.nodeId,
      name: node.name,
      kind: node.kind,
      port: relation.port,
      op: edge === undefined ? (part.step?.op ?? null) : 'edge',
      step: edge === undefined ? part.at : null
    },
    texts: edge?.condition === undefined ? nodeTexts(node, relation.port) : [condition(edge.condition)]
  }
}

export const edgeOf = (graph: Graph, relation: string): Graph['edges'][number] | undefined =>
  graph.edges.find((edge) => edge.condition !== undefined && reachedBy(edge) === relation)
