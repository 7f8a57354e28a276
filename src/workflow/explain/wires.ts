import { edgeKey, type Graph, type GraphEdge, type GraphNode } from '../graph.ts'
import { reachedBy } from '../lineage/column-lineage.ts'
import type { Step } from '../nodes/transform-spec.ts'
import { quoteName } from '../sql-text.ts'
import type { Link } from './carried.ts'

export const derive = (columns: Readonly<Record<string, string>>): Step => ({ op: 'derive', columns })

export const same = (names: readonly string[]): Link['pairs'] =>
  names.map((name) => ({ of: name, from: name }))

/** A graph that is being built beside another one, and what is known of the rows that leave its ports so far. */
export const createWires = (graph: Graph) => {
  const nodes: GraphNode[] = []
  const edges: GraphEdge[] = []
  const marks = new Map<string, readonly string[]>()
  const links = new Map<string, readonly Link[]>()
  const moved = new Map<string, string>()
  /** Marks that stand in a column of the person's, which may be changed further on, and get one of their own there. */
  const standing = new Map<string, { readonly mark: string; readonly column: string }>()

  const incoming = (nodeId: string, port?: string): readonly GraphEdge[] =>
    graph.edges.filter(({ to, toPort }) => to === nodeId && (port === undefined || toPort === port))
  const marksOf = (edge: GraphEdge): readonly string[] => marks.get(`${edge.from}.${edge.fromPort}`) ?? []

  const connect = (edge: GraphEdge): string => {
    edges.push(edge)
    const id = reachedBy(edge)
    const from = `${edge.from}.${edge.fromPort}`
    if (id !== from) {
      const { mark, column = '' } = standing.get(from) ?? {}
      const pairs = same(marksOf(edge).map((name) => (name === mark ? column : name)))
      marks.set(id, marksOf(edge))
      links.set(id, [{ input: from, pairs, kind: 'row' }])
    }
    return id
  }
  /** Puts a node of our own between an edge and where it ends. */
  const viaNode = (
    edge: GraphEdge,
    id: string,
    steps: readonly Step[],
    after: readonly string[],
    pairs: Link['pairs']
  ): string => {
    const into: GraphEdge = { ...edge, to: id, toPort: 'in' }
    if (edge.condition !== undefined) moved.set(edgeKey(edge), edgeKey(into))
    const input = connect(into)
    const { mark, column = '' } = standing.get(`${edge.from}.${edge.fromPort}`) ?? {}
    const first = mark === undefined ? [] : [derive({ [mark]: quoteName(column) })]
    nodes.push({ id, kind: 'transform', name: '', spec: { steps: [...first, ...steps] } })
    edges.push({ from: id, fromPort: 'out', to: edge.to, toPort: edge.toPort })
    marks.set(`${id}.out`, after)
    const own = pairs.map(({ of, from }) => ({ of, from: from === mark ? column : from }))
    links.set(`${id}.out`, [{ input, pairs: own, kind: 'row' }])
    return `${id}.out`
  }
  /** Keeps an edge as it is; its condition is a relation of its own. */
  const keepEdge = (edge: GraphEdge): string =>
    standing.has(`${edge.from}.${edge.fromPort}`)
      ? viaNode(
          edge,
          `${edge.to}<${edge.toPort}<${edge.from}<${edge.fromPort}`,
          [],
          marksOf(edge),
          same(marksOf(edge))
        )
      : connect(edge)
  const addNode = (node: GraphNode, steps: readonly Step[] = []): void =>
    void nodes.push(steps.length === 0 ? node : { ...node, spec: { steps } })
  const leave = (id: string, names: readonly string[], from: readonly Link[]): void => {
    marks.set(id, names)
    links.set(id, from)
  }
  /** Keeps all edges to a node, each of whose rows leaves it with its marks. */
  const passing = (nodeId: string): readonly Link[] =>
    incoming(nodeId).map((edge) => ({ input: keepEdge(edge), pairs: same(marksOf(edge)), kind: 'row' }))

  return {
    nodes,
    edges,
    links,
    moved,
    standing,
    incoming,
    marksOf,
    keepEdge,
    viaNode,
    addNode,
    leave,
    passing
  }
}
