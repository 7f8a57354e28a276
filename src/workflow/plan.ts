import type { Binder } from './binder.ts'
import { checkGraph, type CheckedGraph } from './graph-check.ts'
import { edgeKey, type Graph, type GraphEdge, type GraphNode, type ParameterValues } from './graph.ts'
import { topologicalOrder, upstreamOf } from './graph-order.ts'
import type { Compiled, Reached } from './nodes/node-type.ts'
import { toSinkDataset, toSinkFile } from './nodes/sink.ts'
import { createCompiling, type PlanCatalog } from './plan-compiling.ts'
import type { Pin } from './pin.ts'
import { nodesNeeded, pinnedNodes } from './pinning.ts'
import type { Plan, PlannedRelation, PlannedSink, PlannedStep } from './plan-types.ts'
import type { Problem } from './problem.ts'
import { quoteName } from './sql-text.ts'
import type { Column } from './value-type.ts'

export type { PlanCatalog } from './plan-compiling.ts'

/** A plan, or the problems that stand in its way; and the columns that leave each port, as far as they could be found. */
export type PlanAnswer = {
  readonly plan?: Plan | undefined
  readonly problems: readonly Problem[]
  readonly columns: Record<string, Record<string, readonly Column[]>>
}

export type PlanArguments = {
  readonly graph: Graph
  readonly parameters: ParameterValues
  readonly catalog: PlanCatalog
  readonly binder: Binder
  /** Plan this node and what feeds it alone. */
  readonly until?: string | undefined
  /** Nodes whose rows with a failing expression leave by `rejected`; elsewhere such a row ends the query. */
  readonly rejecting?: ReadonlySet<string> | undefined
  /** Take pinned rows instead of computing their nodes; only for drafts. */
  readonly usesPins?: boolean | undefined
}

type Planned = {
  readonly relations: PlannedRelation[]
  readonly steps: PlannedStep[]
  readonly sinks: PlannedSink[]
  /** Relations that are written as datasets. */
  readonly datasets: { readonly nodeId: string; readonly relation: string; readonly name: string }[]
  readonly problems: Problem[]
  readonly columns: Record<string, Record<string, readonly Column[]>>
  readonly used: Set<string>
  /** Ids of relations that become tables, whoever reads them. */
  readonly inner: Set<string>
}

const relationId = (nodeId: string, port: string): string => `${nodeId}.${port}`

/** What an edge brings: the relation it begins at, or that relation's rows that meet the edge's condition. */
const reach = async (
  args: PlanArguments,
  planned: Planned,
  edge: GraphEdge,
  index: number
): Promise<Reached | undefined> => {
  const from = planned.relations.find(({ id }) => id === relationId(edge.from, edge.fromPort))
  if (from === undefined) return undefined
  const reached = { relation: from.id, columns: from.columns }
  if (edge.condition === undefined) return reached
  const path = `edges[${index}]`
  const compiling = createCompiling(args, planned, { nodeId: edge.to, path, inputs: {} })
  const condition = await compiling.condition('.condition', edge.condition, from.columns)
  if (condition === undefined) return undefined
  const sql = `SELECT * FROM ${quoteName(from.id)} WHERE ${condition}`
  const id = edgeKey(edge)
  planned.relations.push({
    id,
    nodeId: edge.to,
    port: edge.toPort,
    sql,
    source: null,
    columns: from.columns,
    dependsOn: [from.id]
  })
  return { relation: id, columns: from.columns }
}

/** What reaches each input port, in the order of the edges; undefined where a cause upstream has been named already. */
const reachAll = async (
  args: PlanArguments,
  planned: Planned,
  nodeId: string
): Promise<Record<string, Reached[]> | undefined> => {
  const inputs: Record<string, Reached[]> = {}
  let complete = true
  for (const [index, edge] of args.graph.edges.entries()) {
    if (edge.to !== nodeId) continue
    // oxlint-disable-next-line no-await-in-loop -- relations are planned in order
    const reached = await reach(args, planned, edge, index)
    if (reached === undefined) complete = false
    else inputs[edge.toPort] = [...(inputs[edge.toPort] ?? []), reached]
  }
  return complete ? inputs : undefined
}

const addNode = (
  planned: Planned,
  node: GraphNode,
  inputs: Record<string, Reached[]>,
  compiled: Compiled
): void => {
  const reached = Object.values(inputs).flatMap((list) => list.map(({ relation }) => relation))
  const { source, inner = [] } = compiled
  for (const relation of inner) {
    const id = relationId(node.id, relation.port)
    planned.relations.push({ ...relation, id, nodeId: node.id, source: null })
    planned.inner.add(id)
  }
  const needs =
    inner.length === 0 ? [...new Set(reached)] : inner.map(({ port }) => relationId(node.id, port))
  const scan = source && { dataSourceId: source.source.dataSourceId, options: source.options }
  /** What the engine reads: the node's `out`, or rows that are checked before they leave. */
  const scannedPort = source?.rows === undefined ? 'out' : 'rows'
  if (source?.rows !== undefined && scan !== undefined) {
    const id = relationId(node.id, scannedPort)
    planned.relations.push({
      id,
      nodeId: node.id,
      port: scannedPort,
      sql: null,
      source: scan,
      columns: source.rows,
      dependsOn: []
    })
  }
  const outputs = Object.entries(compiled.ports).map(([port, { sql, columns }]) => {
    const scanned = scan !== undefined && port === scannedPort
    const id = relationId(node.id, port)
    planned.relations.push({
      id,
      nodeId: node.id,
      port,
      sql: scanned ? null : sql,
      source: scanned ? scan : null,
      columns,
      dependsOn: scanned ? [] : source === undefined ? needs : [relationId(node.id, scannedPort)]
    })
    planned.columns[node.id] = { ...planned.columns[node.id], [port]: columns }
    return id
  })
  const { failed } = compiled
  const step = { nodeId: node.id, kind: node.kind, inputs: reached, outputs }
  planned.steps.push(failed === undefined ? step : { ...step, failed })
  const file = node.kind === 'sink' ? toSinkFile(node.spec) : undefined
  if (file !== undefined)
    planned.sinks.push({ nodeId: node.id, relation: relationId(node.id, 'in'), ...file })
  const dataset = node.kind === 'sink' ? toSinkDataset(node.spec) : undefined
  if (dataset !== undefined) {
    planned.datasets.push({ nodeId: node.id, relation: relationId(node.id, 'in'), name: dataset.name })
  }
}

/** Says which edges begin at a port that the pin has no rows of, and puts the pinned rows in the node's place. */
const addPinned = (graph: Graph, planned: Planned, { id: nodeId, name, kind }: GraphNode, pin: Pin): void => {
  for (const [index, { from, fromPort }] of graph.edges.entries()) {
    if (from !== nodeId || Object.hasOwn(pin.ports, fromPort)) continue
    const message = `"${name}" is pinned without rows for its output "${fromPort}". Pin it anew, or unpin it.`
    planned.problems.push({ path: `edges[${index}].fromPort`, code: 'wrong-port', message, nodeId })
  }
  const outputs = Object.entries(pin.ports).map(([port, rows]) => {
    const { columns } = rows
    const pinned = { ...rows, runId: pin.runId }
    const id = relationId(nodeId, port)
    planned.relations.push({ id, nodeId, port, sql: null, source: null, columns, dependsOn: [], pinned })
    planned.columns[nodeId] = { ...planned.columns[nodeId], [port]: columns }
    return id
  })
  planned.steps.push({ nodeId, kind, inputs: [], outputs })
}

const planNode = async (
  args: PlanArguments,
  planned: Planned,
  { nodes, broken }: CheckedGraph,
  nodeId: string
): Promise<void> => {
  const index = args.graph.nodes.findIndex(({ id }) => id === nodeId)
  const node = args.graph.nodes[index]
  const read = nodes.get(nodeId)
  if (node === undefined) return
  if (args.usesPins === true && node.pin !== undefined) return addPinned(args.graph, planned, node, node.pin)
  if (read === undefined || broken.has(nodeId)) return
  const path = `nodes[${index}].spec`
  planned.problems.push(
    ...read.notBuilt.map((problem): Problem => ({
      path: path + problem.path,
      code: 'not-built-yet',
      message: problem.message,
      nodeId
    }))
  )
  if (read.notBuilt.length > 0) return
  const inputs = await reachAll(args, planned, nodeId)
  if (inputs === undefined) return
  const compiled = await read.compile(createCompiling(args, planned, { nodeId, path, inputs }))
  if (compiled !== undefined) addNode(planned, node, inputs, compiled)
}

/** Relations that what is wanted reads, at any distance. */
const liveRelations = (
  relations: readonly PlannedRelation[],
  wanted: readonly string[]
): ReadonlySet<string> => {
  const live = new Set(wanted)
  for (const { id, dependsOn } of relations.toReversed()) {
    if (live.has(id)) for (const needed of dependsOn) live.add(needed)
  }
  return live
}

const wantedRelations = ({ steps, datasets }: Planned, until: string | undefined): readonly string[] => {
  const here = steps.find(({ nodeId, kind }) => nodeId === until && kind !== 'sink')?.outputs ?? []
  return [...here, ...datasets.map(({ relation }) => relation)]
}

const sharedRelations = (
  { relations, sinks, inner }: Planned,
  asked: readonly string[]
): readonly string[] => {
  const live = liveRelations(relations, [...sinks.map(({ relation }) => relation), ...asked])
  const readers = relations.filter(({ id }) => live.has(id)).flatMap(({ dependsOn }) => dependsOn)
  return relations
    .filter(({ id, sql }) => {
      const count = readers.filter((reader) => reader === id).length
      return (sql !== null && count > 1) || asked.includes(id) || inner.has(id)
    })
    .map(({ id }) => id)
}

/** A dataset is written once in a run: of two sinks nobody could say which one it holds in the end. */
const writtenTwice = (graph: Graph, { datasets }: Planned): readonly Problem[] =>
  datasets.flatMap(({ nodeId, name }, index) => {
    const first = datasets.findIndex((other) => other.name === name)
    if (first === index) return []
    const path = `nodes[${graph.nodes.findIndex(({ id }) => id === nodeId)}].spec.dataset.name`
    const message = `Two sinks write the dataset "${name}". Choose another name in one of them, or bring their rows together first.`
    return [{ path, code: 'invalid', message, nodeId }]
  })

/**
 * Turns a graph into steps and SQL, or names everything that is wrong with it. A node is compiled over the columns that
 * reach it; where one has a problem, those that it feeds are left out, because the cause is named already.
 * With `until`, that node's outputs are among the `shared` relations, so that they become tables.
 */
export const planGraph = async (args: PlanArguments): Promise<PlanAnswer> => {
  const { graph, parameters, until } = args
  if (until !== undefined && !graph.nodes.some(({ id }) => id === until)) {
    const message = `There is no node "${until}" to run to.`
    return { problems: [{ path: '', code: 'unknown-node', message }], columns: {} }
  }
  const asked = until === undefined ? null : upstreamOf(graph.edges, until)
  const wanted = args.usesPins === true && pinnedNodes(graph).length > 0 ? nodesNeeded(graph, until) : asked
  const concerns = ({ nodeId }: Problem): boolean =>
    nodeId === undefined ? asked === null : wanted === null || wanted.has(nodeId)
  const checked = checkGraph(graph)
  const planned: Planned = {
    relations: [],
    steps: [],
    sinks: [],
    datasets: [],
    problems: [],
    columns: {},
    used: new Set(),
    inner: new Set()
  }
  for (const nodeId of topologicalOrder(graph)) {
    // oxlint-disable-next-line no-await-in-loop -- a node needs the columns of those before it
    if (wanted === null || wanted.has(nodeId)) await planNode(args, planned, checked, nodeId)
  }
  const { columns } = planned
  const problems = [...checked.problems, ...planned.problems, ...writtenTwice(graph, planned)].filter(
    concerns
  )
  if (problems.length > 0) return { problems, columns }
  const { relations, steps, sinks } = planned
  const bound = Object.fromEntries(
    [...planned.used].toSorted().map((name) => [name, parameters[name] ?? null])
  )
  const results = wantedRelations(planned, until)
  return {
    plan: {
      relations,
      steps,
      sinks,
      shared: sharedRelations(planned, results),
      wanted: results,
      parameters: bound
    },
    problems,
    columns
  }
}
