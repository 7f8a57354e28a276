import type { GraphNode } from '../../../workflow/graph.ts'
import type { NodeRun } from '../run-rows.ts'
import { asList, asRecord, asText } from './spec-reading.ts'
import { isStepOp, stepTexts } from './transform-steps.ts'

const numbers = new Intl.NumberFormat('en')

export const inFull = (count: number): string => numbers.format(count)
export const rowsText = (count: number): string => `${inFull(count)} ${count === 1 ? 'row' : 'rows'}`
export const problemsText = (count: number): string =>
  count === 0 ? 'no problems' : `${inFull(count)} ${count === 1 ? 'problem' : 'problems'}`

/** A node in a line, for those who hear the canvas: "Flights, source, 2,000 rows out, no problems". */
export const nodeLabel = (node: GraphNode, run: NodeRun | undefined, problems: number): string =>
  [
    node.name,
    node.kind,
    ...(run === undefined ? [] : [run.rowsOut === null ? run.status : `${rowsText(run.rowsOut)} out`]),
    problemsText(problems)
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
      return count === 0 ? 'no rules yet' : `${count} ${count === 1 ? 'rule' : 'rules'}`
    }
    case 'http':
      return 'cannot run in this version'
    case 'branch':
      return `${asList(spec['outputs']).length} outputs`
    case 'sink':
      return asText(spec['fileName']) || asText(spec['format'])
  }
}
