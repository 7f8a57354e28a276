import type { GraphNode } from '../../../workflow/graph.ts'
import { formatQuantity } from '../../ui/format.ts'
import type { NodeRun } from '../run-rows.ts'
import { pinMarkText } from './pinned-words.ts'
import { asList, asRecord, asText } from './spec-reading.ts'
import { isStepOp, stepTexts } from './transform-steps.ts'

export const problemsText = (count: number): string =>
  count === 0 ? 'no problems' : formatQuantity(count, 'problem')

/** A node in a line, for those who hear the canvas: "Flights, source, 2,000 rows out, no problems". */
export const nodeLabel = (node: GraphNode, run: NodeRun | undefined, problems: number): string =>
  [
    node.name,
    node.kind,
    ...(run === undefined
      ? []
      : [run.rowsOut === null ? run.status : `${formatQuantity(run.rowsOut, 'row')} out`]),
    problemsText(problems),
    ...(node.pin === undefined ? [] : [pinMarkText(node.pin)])
  ].join(', ')

const stepLabel = (step: unknown): string => {
  const op = asText(asRecord(step)['op'])
  return isStepOp(op) ? stepTexts[op].label : op
}

/** What a node does, in a few words, under its name. */
export const nodeSummary = ({ kind, spec }: Pick<GraphNode, 'kind' | 'spec'>): string => {
  switch (kind) {
    case 'source':
      return asText(spec['dataSource']) || 'no data source yet'
    case 'transform':
      return asList(spec['steps']).map(stepLabel).join(', ') || 'no steps yet'
    case 'join': {
      const pairs = asList(spec['on'])
        .map(asRecord)
        .map(({ left, right }) => `${asText(left)} = ${asText(right)}`)
      return [asText(spec['type']), pairs.join(', ') || asText(spec['onExpression'])].join(' ').trim()
    }
    case 'rule': {
      const count = asList(spec['rules']).length
      return count === 0 ? 'no rules yet' : formatQuantity(count, 'rule')
    }
    case 'http':
      return requestWords(spec)
    case 'branch':
      return formatQuantity(asList(spec['outputs']).length, 'output')
    case 'sink':
      return asText(spec['fileName']) || asText(asRecord(spec['dataset'])['name']) || asText(spec['format'])
  }
}

/** What it asks, as far as it is said; a template of the catalog goes by its name. */
const requestWords = (spec: GraphNode['spec']): string => {
  const request = asRecord(spec['request'])
  return asText(spec['template']) || `${asText(request['method']) || 'GET'} ${asText(request['path']) || '/'}`
}
