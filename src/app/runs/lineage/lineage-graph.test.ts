import { describe, expect, it } from 'vitest'
import type { LineageEdge, RunArtifact } from '../run-facts.ts'
import { lightUp, toLineageGraph } from './lineage-graph.ts'
import { boxHeight, BOX_WIDTH, layOutLineage } from './lineage-layout.ts'

const artifact = (
  id: string,
  nodeId: string,
  role: RunArtifact['role'],
  columns: readonly string[]
): RunArtifact => ({
  id,
  nodeId,
  stepName: nodeId,
  kind: role === 'source' ? 'file' : 'table',
  format: 'csv',
  columns: columns.map((name) => ({ name, type: 'text' })),
  rows: 1,
  bytes: 1,
  fileName: null,
  sha256: null,
  role
})
const orders = artifact('a:orders', 'orders', 'source', ['id', 'amount', 'by'])
const people = artifact('a:people', 'people', 'source', ['who', 'land'])
const sums = artifact('a:sums', 'sums', 'result', ['land', 'total'])
const rows = artifact('a:rows', 'rows', 'result', ['id'])
const file = { ...artifact('a:file', 'sums', 'result', ['land', 'total']), kind: 'file' }
const ARTIFACTS = [orders, people, sums, file, rows]

const nodes = [
  { id: 'orders', kind: 'source' },
  { id: 'people', kind: 'source' },
  { id: 'both', kind: 'join' },
  { id: 'by', kind: 'transform' },
  { id: 'sums', kind: 'sink' },
  { id: 'rows', kind: 'sink' },
  { id: 'idle', kind: 'transform' }
] as const
const graph = {
  nodes: nodes.map((node) => ({ ...node, name: node.id })),
  edges: [
    { from: 'orders', to: 'both' },
    { from: 'people', to: 'both' },
    { from: 'both', to: 'by' },
    { from: 'by', to: 'sums' },
    { from: 'orders', to: 'rows' },
    { from: 'orders', to: 'rows' },
    { from: 'orders', to: 'idle' }
  ]
}
const lineage: LineageEdge[] = [
  {
    from: 'a:orders',
    to: 'a:sums',
    columns: [{ to: 'total', from: 'amount', type: 'DIRECT', subtype: 'AGGREGATION' }],
    rows: [
      { from: 'by', type: 'INDIRECT', subtype: 'JOIN' },
      { from: 'amount', type: 'INDIRECT', subtype: 'FILTER' }
    ]
  },
  {
    from: 'a:people',
    to: 'a:sums',
    columns: [{ to: 'land', from: 'land', type: 'DIRECT', subtype: 'IDENTITY' }],
    rows: [{ from: 'who', type: 'INDIRECT', subtype: 'JOIN' }]
  },
  {
    from: 'a:orders',
    to: 'a:rows',
    columns: [{ to: 'id', from: 'id', type: 'DIRECT', subtype: 'IDENTITY' }],
    rows: []
  },
  { from: 'a:sums', to: 'a:file', columns: [], rows: [] }
]
const drawn = toLineageGraph(graph, ARTIFACTS, lineage)
const names = (refs: readonly { artifactId: string; column: string }[]): string[] =>
  refs.map(({ artifactId, column }) => `${artifactId} ${column}`)

describe('the drawing of lineage', () => {
  it('has the nodes that lead to a result, each once, with what they read and wrote', () => {
    expect(drawn.boxes.map(({ id, artifact: has }) => `${id} ${has?.id ?? '-'}`)).toEqual([
      'orders a:orders',
      'people a:people',
      'both -',
      'by -',
      'sums a:sums',
      'rows a:rows'
    ])
    expect(drawn.wires.map(({ from, to }) => `${from}>${to}`)).toEqual([
      'orders>both',
      'people>both',
      'both>by',
      'by>sums',
      'orders>rows'
    ])
  })

  it('has artifacts alone where the graph is not on record', () => {
    const alone = toLineageGraph(null, ARTIFACTS, lineage)
    expect(alone.boxes.map(({ id, kind }) => `${id} ${kind}`)).toEqual([
      'a:orders source',
      'a:people source',
      'a:sums sink',
      'a:rows sink'
    ])
    expect(alone.wires).toHaveLength(3)
  })

  it('lights the columns that a result’s column comes from, those that decide, and the way between', () => {
    const lit = lightUp(drawn, lineage, { artifactId: 'a:sums', column: 'total' })
    expect(names(lit.direct)).toEqual(['a:orders amount'])
    expect(names(lit.indirect)).toEqual(['a:orders by', 'a:people who'])
    expect([...lit.boxes].toSorted()).toEqual(['both', 'by', 'orders', 'people', 'sums'])
  })

  it('lights what a file’s column goes into', () => {
    const lit = lightUp(drawn, lineage, { artifactId: 'a:orders', column: 'amount' })
    expect(names(lit.direct)).toEqual(['a:sums total'])
    // It decides which rows there are, and so about the other columns of them.
    expect(names(lit.indirect)).toEqual(['a:sums land'])
    expect([...lit.boxes].toSorted()).toEqual(['both', 'by', 'orders', 'sums'])
  })

  it('puts no box over another, whatever is open', () => {
    const open = (id: string): number =>
      drawn.boxes.find((box) => box.id === id)?.artifact?.columns.length ?? 0
    const places = layOutLineage(drawn, open)
    const boxes = drawn.boxes.map(({ id }) => ({ id, ...(places.get(id) ?? { x: 0, y: 0 }) }))
    for (const a of boxes) {
      for (const b of boxes) {
        if (a.id >= b.id) continue
        const apart =
          Math.abs(a.x - b.x) >= BOX_WIDTH ||
          (a.y < b.y ? b.y - a.y >= boxHeight(open(a.id)) : a.y - b.y >= boxHeight(open(b.id)))
        expect(apart, `${a.id} and ${b.id}`).toBe(true)
      }
    }
    for (const { from, to } of drawn.wires) expect(places.get(from)?.x).toBeLessThan(places.get(to)?.x ?? 0)
  })
})
