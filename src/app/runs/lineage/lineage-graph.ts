import type { GraphEdge, GraphNode } from '../../../workflow/graph.ts'
import type { LineageEdge, RunArtifact } from '../run-facts.ts'

/** One thing in the drawing: a node of the run's graph, with the file that it read or the rows that it wrote. */
export type LineageBox = {
  readonly id: string
  readonly name: string
  readonly kind: GraphNode['kind']
  readonly artifact: RunArtifact | null
}
export type LineageWire = { readonly from: string; readonly to: string }
export type LineageGraph = {
  readonly boxes: readonly LineageBox[]
  readonly wires: readonly LineageWire[]
}
type RunGraph = {
  readonly nodes: readonly Pick<GraphNode, 'id' | 'name' | 'kind'>[]
  readonly edges: readonly Pick<GraphEdge, 'from' | 'to'>[]
}

const isDrawn = ({ role, kind }: RunArtifact): boolean =>
  role === 'source' || (role === 'result' && kind === 'table')

/** The artifacts alone, where the run's graph is not on record. */
const ofArtifacts = (artifacts: readonly RunArtifact[], lineage: readonly LineageEdge[]): LineageGraph => ({
  boxes: artifacts.map((artifact) => ({
    id: artifact.id,
    name: artifact.stepName,
    kind: artifact.role === 'source' ? 'source' : 'sink',
    artifact
  })),
  wires: lineage.filter(({ from, to }) => [from, to].every((end) => artifacts.some(({ id }) => id === end)))
})

/** The run's nodes with its artifacts at those that read or wrote them, as far as they lead to a result. */
export const toLineageGraph = (
  graph: RunGraph | null,
  artifacts: readonly RunArtifact[],
  lineage: readonly LineageEdge[]
): LineageGraph => {
  const drawn = artifacts.filter(isDrawn)
  if (graph === null) return ofArtifacts(drawn, lineage)
  const artifactOf = (nodeId: string): RunArtifact | null =>
    drawn.find((artifact) => artifact.nodeId === nodeId) ?? null
  const ends = drawn.flatMap(({ role, nodeId }) => (role === 'result' && nodeId !== null ? [nodeId] : []))
  const leading = reached(new Set(ends), graph.edges, 'back')
  const boxes = graph.nodes
    .filter(({ id }) => leading.has(id))
    .map(({ id, name, kind }) => ({ id, name, kind, artifact: artifactOf(id) }))
  const seen = new Set<string>()
  const wires = graph.edges.filter(({ from, to }) => {
    const key = JSON.stringify([from, to])
    if (!leading.has(to) || !leading.has(from) || seen.has(key)) return false
    seen.add(key)
    return true
  })
  return { boxes, wires }
}

/** Ids that a walk along wires meets, its starts among them. */
const reached = (
  starts: ReadonlySet<string>,
  wires: readonly LineageWire[],
  way: 'back' | 'on'
): ReadonlySet<string> => {
  const found = new Set(starts)
  for (const id of found) {
    for (const { from, to } of wires) {
      if (way === 'back' && to === id) found.add(from)
      if (way === 'on' && from === id) found.add(to)
    }
  }
  return found
}

/** A column of an artifact. */
export type ColumnRef = { readonly artifactId: string; readonly column: string }

/** What lights up with a column: columns whose values are in it (or that its values are in), and those that decide. */
export type Lit = {
  readonly direct: readonly ColumnRef[]
  readonly indirect: readonly ColumnRef[]
  /** Boxes on the way between them, and their wires. */
  readonly boxes: ReadonlySet<string>
}

export const isSameColumn = (a: ColumnRef, b: ColumnRef): boolean =>
  a.artifactId === b.artifactId && a.column === b.column

/** Follows a column of a result back to the files, or one of a file on to the results. */
export const lightUp = (
  { boxes, wires }: LineageGraph,
  lineage: readonly LineageEdge[],
  chosen: ColumnRef
): Lit => {
  const direct: ColumnRef[] = []
  const indirect: ColumnRef[] = []
  const add = (ref: ColumnRef, isDirect: boolean): void => {
    const list = isDirect ? direct : indirect
    if (!list.some((known) => isSameColumn(known, ref))) list.push(ref)
  }
  const columnsOf = (artifactId: string): readonly string[] =>
    boxes.find(({ artifact }) => artifact?.id === artifactId)?.artifact?.columns.map(({ name }) => name) ?? []
  for (const edge of lineage) {
    for (const { from, to, type } of edge.columns) {
      if (edge.to === chosen.artifactId && to === chosen.column)
        add({ artifactId: edge.from, column: from }, type === 'DIRECT')
      if (edge.from === chosen.artifactId && from === chosen.column)
        add({ artifactId: edge.to, column: to }, type === 'DIRECT')
    }
    for (const { from } of edge.rows) {
      if (edge.to === chosen.artifactId) add({ artifactId: edge.from, column: from }, false)
      // What decides about rows decides about every column of them.
      if (edge.from === chosen.artifactId && from === chosen.column)
        for (const column of columnsOf(edge.to)) add({ artifactId: edge.to, column }, false)
    }
  }
  const boxesOf = (refs: readonly ColumnRef[]): ReadonlySet<string> =>
    new Set(
      boxes.flatMap(({ id, artifact }) =>
        refs.some(({ artifactId }) => artifactId === artifact?.id) ? [id] : []
      )
    )
  const own = boxesOf([chosen])
  const others = boxesOf([...direct, ...indirect])
  const between = (starts: ReadonlySet<string>, ends: ReadonlySet<string>): readonly string[] => {
    const on = reached(starts, wires, 'on')
    const back = reached(ends, wires, 'back')
    return [...on].filter((id) => back.has(id))
  }
  return {
    direct,
    indirect: indirect.filter((ref) => !direct.some((known) => isSameColumn(known, ref))),
    boxes: new Set([...own, ...between(others, own), ...between(own, others)])
  }
}
