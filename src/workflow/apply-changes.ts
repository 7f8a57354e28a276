import { refuse, type Refusal } from './aggregate.ts'
import type { GraphChange } from './change.ts'
import { edgeKey, type Graph, type GraphEdge, type GraphNode } from './graph.ts'

export type Applied = { readonly ok: true; readonly graph: Graph } | Refusal
export type Inverted = { readonly ok: true; readonly changes: GraphChange[]; readonly graph: Graph } | Refusal

type Step = { readonly ok: true; readonly graph: Graph; readonly inverse: GraphChange } | Refusal
type EdgeEnds = Pick<GraphEdge, 'from' | 'fromPort' | 'to' | 'toPort'>

const insertAt = <T>(list: readonly T[], at: number | undefined, item: T): T[] =>
  list.toSpliced(at ?? list.length, 0, item)

const noNode = (nodeId: string): Refusal =>
  refuse('unknown-node', `There is no node "${nodeId}" in this draft.`, { nodeId })

const noEdge = (edge: EdgeEnds): Refusal =>
  refuse('unknown-edge', `There is no edge ${edgeKey(edge)} in this draft.`, { edge: edgeKey(edge) })

const done = (graph: Graph, inverse: GraphChange): Step => ({ ok: true, graph, inverse })

const replaceNode = (
  graph: Graph,
  nodeId: string,
  replace: (node: GraphNode) => { readonly node: GraphNode; readonly inverse: GraphChange }
): Step => {
  const index = graph.nodes.findIndex((node) => node.id === nodeId)
  const node = graph.nodes[index]
  if (node === undefined) return noNode(nodeId)
  const replaced = replace(node)
  return done({ ...graph, nodes: graph.nodes.with(index, replaced.node) }, replaced.inverse)
}

const place = (x: number | undefined, y: number | undefined): { x?: number; y?: number } => ({
  ...(x === undefined ? {} : { x }),
  ...(y === undefined ? {} : { y })
})

const ends = ({ from, fromPort, to, toPort }: EdgeEnds): EdgeEnds => ({ from, fromPort, to, toPort })

const setPin = (graph: Graph, { nodeId, pin }: Extract<GraphChange, { type: 'set-pin' }>): Step => {
  if (pin !== undefined && graph.nodes.some(({ id, kind }) => id === nodeId && kind === 'sink')) {
    return refuse('sink-pinned', 'No rows leave a sink. Pin the node that feeds it.', { nodeId })
  }
  return replaceNode(graph, nodeId, ({ pin: before, ...node }) => ({
    node: pin === undefined ? node : { ...node, pin },
    inverse: { type: 'set-pin', nodeId, ...(before === undefined ? {} : { pin: before }) }
  }))
}

const addNode = (graph: Graph, change: Extract<GraphChange, { type: 'add-node' }>): Step => {
  const { node, at } = change
  if (graph.nodes.some((other) => other.id === node.id)) {
    return refuse('node-exists', `There is already a node "${node.id}" in this draft.`, { nodeId: node.id })
  }
  return done({ ...graph, nodes: insertAt(graph.nodes, at, node) }, { type: 'remove-node', nodeId: node.id })
}

const removeNode = (graph: Graph, nodeId: string): Step => {
  const at = graph.nodes.findIndex((node) => node.id === nodeId)
  const node = graph.nodes[at]
  if (node === undefined) return noNode(nodeId)
  const edge = graph.edges.find(({ from, to }) => from === nodeId || to === nodeId)
  if (edge !== undefined) {
    return refuse(
      'node-has-edges',
      `The edge ${edgeKey(edge)} must be removed before the node "${nodeId}".`,
      {
        nodeId,
        edge: edgeKey(edge)
      }
    )
  }
  return done({ ...graph, nodes: graph.nodes.toSpliced(at, 1) }, { type: 'add-node', node, at })
}

const addEdge = (graph: Graph, change: Extract<GraphChange, { type: 'add-edge' }>): Step => {
  const { edge, at } = change
  const missing = [edge.from, edge.to].find((id) => !graph.nodes.some((node) => node.id === id))
  if (missing !== undefined) return noNode(missing)
  if (graph.edges.some((other) => edgeKey(other) === edgeKey(edge))) {
    return refuse('edge-exists', `There is already an edge ${edgeKey(edge)} in this draft.`, {
      edge: edgeKey(edge)
    })
  }
  return done({ ...graph, edges: insertAt(graph.edges, at, edge) }, { type: 'remove-edge', edge: ends(edge) })
}

const removeEdge = (graph: Graph, removed: EdgeEnds): Step => {
  const at = graph.edges.findIndex((edge) => edgeKey(edge) === edgeKey(removed))
  const edge = graph.edges[at]
  if (edge === undefined) return noEdge(removed)
  return done({ ...graph, edges: graph.edges.toSpliced(at, 1) }, { type: 'add-edge', edge, at })
}

const withCondition = (edge: EdgeEnds, condition: string | undefined): GraphEdge =>
  condition === undefined ? ends(edge) : { ...ends(edge), condition }

const setCondition = (graph: Graph, change: Extract<GraphChange, { type: 'set-condition' }>): Step => {
  const at = graph.edges.findIndex((edge) => edgeKey(edge) === edgeKey(change.edge))
  const edge = graph.edges[at]
  if (edge === undefined) return noEdge(change.edge)
  return done(
    { ...graph, edges: graph.edges.with(at, withCondition(edge, change.condition)) },
    edge.condition === undefined
      ? { type: 'set-condition', edge: ends(edge) }
      : { type: 'set-condition', edge: ends(edge), condition: edge.condition }
  )
}

const setParameter = (graph: Graph, change: Extract<GraphChange, { type: 'set-parameter' }>): Step => {
  const { name, definition } = change
  const before = Object.hasOwn(graph.parameters, name) ? graph.parameters[name] : undefined
  return done(
    { ...graph, parameters: { ...graph.parameters, [name]: definition } },
    before === undefined
      ? { type: 'remove-parameter', name }
      : { type: 'set-parameter', name, definition: before }
  )
}

const removeParameter = (graph: Graph, name: string): Step => {
  const definition = Object.hasOwn(graph.parameters, name) ? graph.parameters[name] : undefined
  if (definition === undefined) {
    return refuse('unknown-parameter', `There is no parameter "${name}" in this draft.`, { name })
  }
  const { [name]: _, ...parameters } = graph.parameters
  return done({ ...graph, parameters }, { type: 'set-parameter', name, definition })
}

const applyOne = (graph: Graph, change: GraphChange): Step => {
  switch (change.type) {
    case 'add-node':
      return addNode(graph, change)
    case 'remove-node':
      return removeNode(graph, change.nodeId)
    case 'rename-node':
      return replaceNode(graph, change.nodeId, (node) => ({
        node: { ...node, name: change.name },
        inverse: { ...change, name: node.name }
      }))
    case 'set-spec':
      return replaceNode(graph, change.nodeId, (node) => ({
        node: { ...node, spec: change.spec },
        inverse: { ...change, spec: node.spec }
      }))
    case 'move-node':
      return replaceNode(graph, change.nodeId, ({ x, y, ...node }) => ({
        node: { ...node, ...place(change.x, change.y) },
        inverse: { type: 'move-node', nodeId: node.id, ...place(x, y) }
      }))
    case 'set-pin':
      return setPin(graph, change)
    case 'add-edge':
      return addEdge(graph, change)
    case 'remove-edge':
      return removeEdge(graph, change.edge)
    case 'set-condition':
      return setCondition(graph, change)
    case 'set-parameter':
      return setParameter(graph, change)
    case 'remove-parameter':
      return removeParameter(graph, change.name)
  }
}

/** What the changes make of the graph, and the changes that take them back, last one first; all or none. */
export const invertChanges = (graph: Graph, changes: readonly GraphChange[]): Inverted => {
  const inverse: GraphChange[] = []
  let current = graph
  for (const change of changes) {
    const step = applyOne(current, change)
    if (!step.ok) return step
    current = step.graph
    inverse.unshift(step.inverse)
  }
  return { ok: true, graph: current, changes: inverse }
}

/** The graph after the changes, or why one of them does not fit; all or none. */
export const applyChanges = (graph: Graph, changes: readonly GraphChange[]): Applied => {
  const inverted = invertChanges(graph, changes)
  return inverted.ok ? { ok: true, graph: inverted.graph } : inverted
}
