import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyChanges, invertChanges } from './apply-changes.ts'
import type { GraphChange } from './change.ts'
import { EMPTY_GRAPH, GraphEdge, type Graph } from './graph.ts'

const Id = fc.constantFrom('a', 'b', 'c', 'd')
const Ends = fc
  .record({ from: Id, to: Id, toPort: fc.constantFrom('in', 'left') })
  .map((ends) => ({ ...ends, fromPort: 'out' }))
const Node = fc.record({
  id: Id,
  kind: fc.constantFrom('transform' as const, 'sink' as const),
  name: fc.string({ maxLength: 5 }),
  spec: fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 })
})
const Change: fc.Arbitrary<GraphChange> = fc.oneof(
  fc.record({ type: fc.constant('add-node' as const), node: Node }),
  fc.record({ type: fc.constant('remove-node' as const), nodeId: Id }),
  fc.record({ type: fc.constant('rename-node' as const), nodeId: Id, name: fc.string({ maxLength: 5 }) }),
  fc.record({ type: fc.constant('set-spec' as const), nodeId: Id, spec: fc.constant({ changed: true }) }),
  fc.record({ type: fc.constant('move-node' as const), nodeId: Id, x: fc.integer(), y: fc.integer() }),
  fc.record({ type: fc.constant('move-node' as const), nodeId: Id }),
  fc.record({ type: fc.constant('add-edge' as const), edge: Ends }),
  fc.record({ type: fc.constant('remove-edge' as const), edge: Ends }),
  fc.record({ type: fc.constant('set-condition' as const), edge: Ends, condition: fc.constant('x > 1') }),
  fc.record({ type: fc.constant('set-condition' as const), edge: Ends }),
  fc.record({
    type: fc.constant('set-parameter' as const),
    name: Id,
    definition: fc.record({ type: fc.constantFrom('text' as const, 'number' as const) })
  }),
  fc.record({ type: fc.constant('remove-parameter' as const), name: Id })
)

/** A graph that came from the changes that fit, and the further ones that fit it. */
const grow = (graph: Graph, changes: readonly GraphChange[]): { graph: Graph; fitting: GraphChange[] } =>
  changes.reduce(
    (grown: { graph: Graph; fitting: GraphChange[] }, change) => {
      const applied = applyChanges(grown.graph, [change])
      return applied.ok ? { graph: applied.graph, fitting: [...grown.fitting, change] } : grown
    },
    { graph, fitting: [] }
  )

const Several = fc.array(Change, { maxLength: 40 })
const start = grow(
  EMPTY_GRAPH,
  ['a', 'b', 'c'].map((id) => ({
    type: 'add-node',
    node: { id, kind: 'transform', name: id, spec: {} }
  }))
).graph

describe('changes of a graph', () => {
  it('are taken back exactly by their inverse, the order of nodes and edges included', () => {
    fc.assert(
      fc.property(Several, Several, (before, after) => {
        const { graph } = grow(start, before)
        const { graph: changed, fitting } = grow(graph, after)
        const inverted = invertChanges(graph, fitting)
        if (!inverted.ok) throw new Error(inverted.message)
        expect(inverted.graph).toEqual(changed)
        expect(applyChanges(changed, inverted.changes)).toEqual({ ok: true, graph })
      }),
      { numRuns: 500 }
    )
  })

  const edge = GraphEdge.parse({ from: 'a', to: 'b' })
  it.each<[string, GraphChange[], string]>([
    [
      'an id that is taken',
      [{ type: 'add-node', node: { id: 'a', kind: 'sink', name: '', spec: {} } }],
      'node-exists'
    ],
    ['a node that is not there', [{ type: 'rename-node', nodeId: 'z', name: '' }], 'unknown-node'],
    ['an edge to nowhere', [{ type: 'add-edge', edge: { ...edge, to: 'z' } }], 'unknown-node'],
    [
      'an edge twice',
      [
        { type: 'add-edge', edge },
        { type: 'add-edge', edge }
      ],
      'edge-exists'
    ],
    [
      'a node that has edges',
      [
        { type: 'add-edge', edge },
        { type: 'remove-node', nodeId: 'a' }
      ],
      'node-has-edges'
    ],
    ['an edge that is not there', [{ type: 'remove-edge', edge }], 'unknown-edge'],
    ['a parameter that is not there', [{ type: 'remove-parameter', name: 'toString' }], 'unknown-parameter']
  ])('are refused as a whole for %s', (_, changes, reason) => {
    expect(applyChanges(start, changes)).toMatchObject({ ok: false, reason })
  })
})
