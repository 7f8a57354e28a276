import { didYouMean } from './did-you-mean.ts'
import { inspectExpression, type Inspected } from './expression.ts'
import { edgeKey, type Graph, type GraphEdge } from './graph.ts'
import { findCycles } from './graph-order.ts'
import { NODE_READERS } from './nodes/all.ts'
import { keyPath, type ExpressionAt, type ReadNode } from './nodes/node-type.ts'
import type { Problem, ProblemCode } from './problem.ts'
import { inspectQuery } from './query-gate.ts'

export type CheckedGraph = {
  readonly problems: readonly Problem[]
  /** By node id; a node whose spec cannot be read is missing. */
  readonly nodes: ReadonlyMap<string, ReadNode>
  /** Nodes that cannot be compiled: spec, ports or inputs are wrong. */
  readonly broken: ReadonlySet<string>
}

/** A path as problems say it: `steps[0].where`, with a point before a first name. */
export const toPath = (path: readonly PropertyKey[]): string =>
  path.map((part) => (typeof part === 'number' ? `[${part}]` : keyPath(String(part)))).join('')

/** The gate that needs no engine, for each of the three scopes. */
export const inspectText = ({ text, scope }: Pick<ExpressionAt, 'text' | 'scope'>): Inspected =>
  scope === 'query' ? inspectQuery(text) : inspectExpression(text, scope)

const expressionProblems = (
  graph: Graph,
  expression: ExpressionAt,
  path: string,
  nodeId: string
): readonly Problem[] => {
  const inspected = inspectText(expression)
  if (!inspected.ok) return [{ path, code: 'expression', message: inspected.message, nodeId }]
  const names = Object.keys(graph.parameters)
  return inspected.parameters
    .filter((name) => !names.includes(name))
    .map((name) => ({
      path,
      code: 'unknown-parameter',
      message: `There is no parameter "${name}".${didYouMean(name, names)}`,
      nodeId
    }))
}

const specProblems = (
  graph: Graph,
  index: number
): { problems: Problem[]; node: ReadNode | undefined; broken: boolean } => {
  const node = graph.nodes[index]
  if (node === undefined) return { problems: [], node: undefined, broken: false }
  const nodeId = node.id
  const path = `nodes[${index}].spec`
  const read = NODE_READERS[node.kind](node.spec)
  if (!read.ok) {
    const problems = read.issues.map((issue): Problem => ({
      path: path + toPath(issue.path),
      code: 'invalid',
      message: issue.message,
      nodeId
    }))
    return { problems, node: undefined, broken: true }
  }
  const invalid = read.node.invalid.map((problem): Problem => ({
    path: path + problem.path,
    code: 'invalid',
    message: problem.message,
    nodeId
  }))
  const expressions = read.node.expressions.flatMap((expression) =>
    expressionProblems(graph, expression, path + expression.path, nodeId)
  )
  return { problems: [...invalid, ...expressions], node: read.node, broken: invalid.length > 0 }
}

const idProblems = ({ nodes }: Graph): readonly Problem[] =>
  nodes.flatMap(({ id }, index) =>
    nodes.findIndex((other) => other.id === id) < index
      ? [
          {
            path: `nodes[${index}].id`,
            code: 'duplicate-id',
            message: `There are two nodes "${id}".`,
            nodeId: id
          }
        ]
      : []
  )

const portProblem = (
  read: ReadNode | undefined,
  port: string,
  side: 'inputs' | 'outputs',
  name: string
): string | undefined => {
  // A spec that cannot be read says nothing about its ports.
  if (read === undefined) return undefined
  const ports = side === 'inputs' ? read.inputs.map((input) => input.name) : read.outputs
  if (ports.includes(port)) return undefined
  const has = ports.length === 0 ? 'none' : ports.map((other) => `"${other}"`).join(', ')
  return `"${name}" has no ${side === 'inputs' ? 'input' : 'output'} "${port}"; it has ${has}.`
}

const edgeProblems = (
  graph: Graph,
  index: number,
  nodes: ReadonlyMap<string, ReadNode>
): readonly Problem[] => {
  const edge = graph.edges[index]
  if (edge === undefined) return []
  const problem = (key: string, code: ProblemCode, message: string): Problem => {
    const known = graph.nodes.some(({ id }) => id === edge.to)
    const at = { path: `edges[${index}]${key}`, code, message }
    return known ? { ...at, nodeId: edge.to } : at
  }
  const ids = graph.nodes.map(({ id }) => id)
  const unknown = (['from', 'to'] as const)
    .filter((end) => !ids.includes(edge[end]))
    .map((end) =>
      problem(`.${end}`, 'unknown-node', `There is no node "${edge[end]}".${didYouMean(edge[end], ids)}`)
    )
  const ports = [
    ['.fromPort', portProblem(nodes.get(edge.from), edge.fromPort, 'outputs', edge.from)],
    ['.toPort', portProblem(nodes.get(edge.to), edge.toPort, 'inputs', edge.to)]
  ] as const
  const doubled = graph.edges.findIndex((other) => edgeKey(other) === edgeKey(edge)) < index
  const { condition } = edge
  return [
    ...unknown,
    ...ports.flatMap(([key, message]) =>
      message === undefined ? [] : [problem(key, 'wrong-port', message)]
    ),
    ...(doubled ? [problem('', 'duplicate-id', `There are two edges ${edgeKey(edge)}.`)] : []),
    ...(condition === undefined
      ? []
      : expressionProblems(
          graph,
          { path: '', text: condition, scope: 'scalar' },
          `edges[${index}].condition`,
          edge.to
        ))
  ]
}

const inputProblems = (graph: Graph, index: number, read: ReadNode | undefined): readonly Problem[] => {
  const node = graph.nodes[index]
  if (node === undefined || read === undefined) return []
  return read.inputs.flatMap(({ name, min, max }): Problem[] => {
    const count = graph.edges.filter(({ to, toPort }) => to === node.id && toPort === name).length
    const at = { path: `nodes[${index}]`, nodeId: node.id }
    if (count < min) {
      return [{ ...at, code: 'missing-input', message: `Nothing is connected to "${name}" of "${node.id}".` }]
    }
    if (count <= max) return []
    const message = `${count} edges end in "${name}" of "${node.id}", which takes ${max}. A transform that begins with a union takes more.`
    return [{ ...at, code: 'too-many-inputs', message }]
  })
}

const cycleProblem = (graph: Graph, cycle: readonly GraphEdge[]): Problem => {
  const closing = cycle.at(-1)
  const index = graph.edges.findIndex((edge) => edge === closing)
  const way = [...cycle.map(({ from }) => from), closing?.to ?? ''].join(' → ')
  const at = {
    path: `edges[${index}]`,
    code: 'cycle',
    message: `These nodes feed each other: ${way}. Remove an edge.`
  } as const
  return closing === undefined ? at : { ...at, nodeId: closing.to }
}

/** Every problem of a graph that can be seen without catalog and engine. */
export const checkGraph = (graph: Graph): CheckedGraph => {
  const specs = graph.nodes.map((_, index) => specProblems(graph, index))
  const nodes = new Map(
    graph.nodes.flatMap(({ id }, index) => {
      const node = specs[index]?.node
      return node === undefined ? [] : [[id, node] as const]
    })
  )
  const structure = [
    ...idProblems(graph),
    ...graph.nodes.flatMap(({ id }, index) => inputProblems(graph, index, nodes.get(id))),
    ...graph.edges.flatMap((_, index) => edgeProblems(graph, index, nodes)),
    ...findCycles(graph).map((cycle) => cycleProblem(graph, cycle))
  ]
  const broken = new Set([
    ...graph.nodes.filter((_, index) => specs[index]?.broken).map(({ id }) => id),
    ...structure.flatMap(({ nodeId }) => (nodeId === undefined ? [] : [nodeId]))
  ])
  return { problems: [...specs.flatMap(({ problems }) => problems), ...structure], nodes, broken }
}
