import type { GraphNode, NodeKind } from './graph.ts'

/** The spec of a node that has just been dropped on the canvas; what is missing in it, a check says. */
export const emptySpec = (kind: NodeKind): Record<string, unknown> => {
  switch (kind) {
    case 'source':
      return { dataSource: '' }
    case 'transform':
      return { steps: [] }
    case 'join':
      return { type: 'inner', on: [] }
    case 'rule':
      return { mode: 'first', rules: [], otherwise: {} }
    case 'http':
      return { per: 'row', onError: 'fail' }
    case 'branch':
      return { mode: 'first', outputs: [{ name: 'matching', when: 'true' }, { name: 'others' }] }
    case 'sink':
      return { format: 'csv', fileName: 'result.csv' }
  }
}

/** `many`: more than one edge may end in it. */
export type InputPortView = { readonly name: string; readonly many: boolean }
export type Ports = { readonly inputs: readonly InputPortView[]; readonly outputs: readonly string[] }

const one = (name: string): InputPortView => ({ name, many: false })

const fieldOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined

const listOf = (spec: GraphNode['spec'], key: string): readonly unknown[] => {
  const list = spec[key]
  return Array.isArray(list) ? list : []
}

/** One that has no way out yet has no row to reject either. */
const branchOutputs = (spec: GraphNode['spec']): readonly string[] => {
  const names = listOf(spec, 'outputs')
    .map((output) => fieldOf(output, 'name'))
    .filter((name): name is string => typeof name === 'string' && name !== '')
  return names.length === 0 ? [] : [...new Set([...names, 'rejected'])]
}

/** Where edges may end and begin, also while the spec is unfinished. */
export const portsOf = (kind: NodeKind, spec: GraphNode['spec']): Ports => {
  switch (kind) {
    case 'source':
      return { inputs: [], outputs: ['out', 'rejected'] }
    case 'transform':
      return {
        inputs: [{ name: 'in', many: fieldOf(listOf(spec, 'steps')[0], 'op') === 'union' }],
        outputs: ['out', 'rejected']
      }
    case 'join':
      return { inputs: [one('left'), one('right')], outputs: ['out'] }
    case 'rule':
    case 'http':
      return { inputs: [one('in')], outputs: ['out', 'rejected'] }
    case 'branch':
      return { inputs: [one('in')], outputs: branchOutputs(spec) }
    case 'sink':
      return { inputs: [one('in')], outputs: [] }
  }
}
