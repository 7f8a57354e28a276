import { unfoldedId } from '../explain/unfold.ts'
import { portsOf } from '../explain/ports-of.ts'
import type { Graph, GraphEdge, GraphNode } from '../graph.ts'
import { topologicalOrder } from '../graph-order.ts'
import { JoinSpec } from '../nodes/join.ts'
import { TransformSpec, type Step } from '../nodes/transform-spec.ts'

/** A graph whose rows carry, in columns of their own, the numbers of the source rows that they come from. */
export type MarkedGraph = {
  readonly graph: Graph
  /** The column by which a source's rows are numbered, from 0: whoever provides the source adds it. */
  readonly rowColumn: string
  /** The beginning of every mark's name, which nothing else in the graph has. */
  readonly prefix: string
}

/** Steps behind which a row is one of those that came in, or a part of one. */
const keepsRows = (step: Step): boolean => {
  switch (step.op) {
    case 'filter':
    case 'derive':
    case 'select':
    case 'drop':
    case 'rename':
    case 'cast':
    case 'sort':
    case 'limit':
    case 'unpivot':
    case 'union':
      return true
    case 'distinct':
    case 'aggregate':
    case 'pivot':
    case 'sql':
    case 'operator':
      return false
  }
}

/** A beginning that stands nowhere in the graph, nor in a column's name. */
const freePrefix = (graph: Graph, columns: readonly string[], wanted = '_from:'): string => {
  const text = [JSON.stringify(graph.nodes), ...columns].join('\n').toLowerCase()
  return text.includes(wanted) ? freePrefix(graph, columns, `_${wanted}`) : wanted
}

const drop = (columns: readonly string[]): Step => ({ op: 'drop', columns: [...columns] })

/**
 * Adds marks to a graph as it is run. They have the names, behind the prefix, that an explanation's have, and so one
 * finds the other's rows: a source row's number, which input of a union, and for what a join brings in from the right
 * the same under the join's name. Where rows of a node are no longer rows that came in (a group, a query's answer),
 * the marks end; before a service's node, too, whose requests are told apart by all columns.
 */
export const markGraph = (graph: Graph, columns: readonly string[]): MarkedGraph => {
  const prefix = freePrefix(graph, columns)
  const rowColumn = `${prefix}row`
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  const marks = new Map<string, readonly string[]>()

  const incoming = (nodeId: string, port?: string): readonly GraphEdge[] =>
    graph.edges.filter(({ to, toPort }) => to === nodeId && (port === undefined || toPort === port))
  const marksOf = (edge: GraphEdge | undefined): readonly string[] =>
    edge === undefined ? [] : (marks.get(`${edge.from}.${edge.fromPort}`) ?? [])
  const leave = (id: string, names: readonly string[]): void => {
    if (names.length > 0) marks.set(id, names)
  }
  /** Puts a step of our own between an edge and where it ends. */
  const viaNode = (edge: GraphEdge, id: string, step: Step): void => {
    nodes.push({ id, kind: 'transform', name: '', spec: { steps: [step] } })
    edges.push({ ...edge, to: id, toPort: 'in' })
    edges.push({ from: id, fromPort: 'out', to: edge.to, toPort: edge.toPort })
  }
  const keepEdges = (nodeId: string, port?: string): void => void edges.push(...incoming(nodeId, port))
  const withoutMarks = (nodeId: string): void => {
    for (const [at, edge] of incoming(nodeId).entries()) {
      const own = marksOf(edge)
      if (own.length === 0) edges.push(edge)
      else viaNode(edge, `${nodeId}<${at}`, drop(own))
    }
  }

  /** Which input a row of a union came by is a mark, too: two sources have rows of the same numbers. */
  const gatherUnion = (nodeId: string, unionId: string): readonly string[] => {
    const which = `${prefix}${unionId}`
    const all = new Set<string>()
    for (const [at, edge] of incoming(nodeId).entries()) {
      for (const mark of [...marksOf(edge), which]) all.add(mark)
      viaNode(edge, `${nodeId}<${at}`, { op: 'derive', columns: { [which]: String(at) } })
    }
    return [...all]
  }

  const gather = (node: GraphNode, steps: readonly Step[]): readonly string[] => {
    const [first] = steps
    const inputs = incoming(node.id)
    const areMarked = inputs.some((edge) => marksOf(edge).length > 0)
    if (first?.op === 'union' && first.all !== false && areMarked) {
      return gatherUnion(node.id, unfoldedId(node.id, 0, steps.length))
    }
    if (first?.op === 'union') {
      withoutMarks(node.id)
      return []
    }
    edges.push(...inputs)
    return marksOf(inputs[0])
  }

  const addTransform = (node: GraphNode): void => {
    const steps = TransformSpec.safeParse(node.spec).data?.steps ?? []
    const came = gather(node, steps)
    let own = came
    const marked = steps.flatMap((step): readonly Step[] => {
      if (own.length === 0) return [step]
      if (keepsRows(step)) {
        return [step.op === 'select' ? { ...step, columns: [...step.columns, ...own] } : step]
      }
      const dropped = own
      own = []
      return [drop(dropped), step]
    })
    nodes.push({ ...node, spec: { ...node.spec, steps: marked } })
    leave(`${node.id}.out`, own)
    // Rows for which an expression fails leave as they came.
    leave(`${node.id}.rejected`, came)
  }

  const addJoin = (node: GraphNode): void => {
    const type = JoinSpec.safeParse(node.spec).data?.type ?? 'inner'
    const [left] = incoming(node.id, 'left')
    const [right] = incoming(node.id, 'right')
    const [ofLeft, ofRight] = [marksOf(left), marksOf(right)]
    nodes.push(node)
    keepEdges(node.id, 'left')
    if (type === 'semi' || type === 'anti' || right === undefined || ofRight.length === 0) {
      keepEdges(node.id, 'right')
      return leave(`${node.id}.out`, ofLeft)
    }
    // Under names of their own, so that both sides may come from the same source.
    const renamed = ofRight.map((name) => [name, `${prefix}${node.id}:${name.slice(prefix.length)}`] as const)
    viaNode(right, `${node.id}<right`, { op: 'rename', columns: Object.fromEntries(renamed) })
    leave(`${node.id}.out`, [...ofLeft, ...renamed.map(([, to]) => to)])
  }

  const add = (node: GraphNode): void => {
    if (node.pin !== undefined) {
      nodes.push(node)
      return keepEdges(node.id)
    }
    switch (node.kind) {
      case 'source':
        nodes.push(node)
        for (const port of ['rows', 'out', 'rejected']) leave(`${node.id}.${port}`, [rowColumn])
        return undefined
      case 'transform':
        return addTransform(node)
      case 'join':
        return addJoin(node)
      case 'http':
        nodes.push(node)
        return withoutMarks(node.id)
      case 'rule':
      case 'branch':
      case 'sink': {
        const [edge] = incoming(node.id)
        nodes.push(node)
        keepEdges(node.id)
        for (const port of portsOf(node, graph)) leave(`${node.id}.${port}`, marksOf(edge))
      }
    }
  }

  for (const id of topologicalOrder(graph)) {
    const node = graph.nodes.find((each) => each.id === id)
    if (node !== undefined) add(node)
  }
  return { graph: { ...graph, nodes, edges }, rowColumn, prefix }
}
