import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyChanges } from '../../../workflow/apply-changes.ts'
import { EMPTY_GRAPH, type Graph } from '../../../workflow/graph.ts'
import { copySelection, parseSelection, pasteChanges } from './clipboard-graph.ts'
import { freshName, freshNodeId } from './fresh-names.ts'
import { canConnect, connectChanges, removeNodesChanges } from './graph-edits.ts'
import { freePlace, layOut, NODE_HEIGHT, NODE_WIDTH, positionsOf } from './layout.ts'
import { inTopologicalOrder } from './topological-order.ts'

const node = (id: string, place: { x?: number; y?: number } = {}) => ({
  id,
  kind: 'transform' as const,
  name: id,
  spec: {},
  ...place
})
const edge = (from: string, to: string, toPort = 'in') => ({ from, fromPort: 'out', to, toPort })
const graphOf = (ids: readonly string[], edges: Graph['edges']): Graph => ({
  parameters: {},
  nodes: ids.map((id) => node(id)),
  edges
})
const applied = (graph: Graph, changes: Parameters<typeof applyChanges>[1]): Graph => {
  const result = applyChanges(graph, changes)
  if (!result.ok) throw new Error(result.message)
  return result.graph
}

/** Graphs without circles: wires lead from an earlier node to a later one; the nodes then stand in any order. */
const acyclic = fc
  .integer({ min: 1, max: 9 })
  .chain((size) =>
    fc.record({
      order: fc.shuffledSubarray(
        Array.from({ length: size }, (_, index) => index),
        { minLength: size, maxLength: size }
      ),
      pairs: fc.uniqueArray(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), {
        selector: ([a, b]) => `${Math.min(a, b)} ${Math.max(a, b)}`
      })
    })
  )
  .map(({ order, pairs }) =>
    graphOf(
      order.map((index) => `n${index}`),
      pairs.filter(([a, b]) => a !== b).map(([a, b]) => edge(`n${Math.min(a, b)}`, `n${Math.max(a, b)}`))
    )
  )

describe('topological order', () => {
  test('each node comes once, after all that it reads', () => {
    fc.assert(
      fc.property(acyclic, (graph) => {
        const order = inTopologicalOrder(graph).map(({ id }) => id)
        expect(order.toSorted()).toEqual(graph.nodes.map(({ id }) => id).toSorted())
        for (const { from, to } of graph.edges) expect(order.indexOf(from)).toBeLessThan(order.indexOf(to))
      })
    )
  })

  test('nodes of a circle are listed, too', () => {
    const order = inTopologicalOrder(graphOf(['a', 'b', 'c'], [edge('a', 'b'), edge('b', 'a')]))
    expect(order.map(({ id }) => id).toSorted()).toEqual(['a', 'b', 'c'])
  })
})

describe('layout', () => {
  test('what feeds stands to the left of what is fed, and nothing covers anything', () => {
    fc.assert(
      fc.property(acyclic, (graph) => {
        const places = layOut(graph)
        const at = (id: string) => places.get(id) ?? { x: Number.NaN, y: Number.NaN }
        for (const { from, to } of graph.edges) expect(at(from).x + NODE_WIDTH).toBeLessThan(at(to).x)
        const all = graph.nodes.map(({ id }) => at(id))
        for (const [index, a] of all.entries()) {
          for (const b of all.slice(index + 1)) {
            expect(Math.abs(a.x - b.x) >= NODE_WIDTH || Math.abs(a.y - b.y) >= NODE_HEIGHT).toBe(true)
          }
        }
      })
    )
  })

  test('a node that was put somewhere stays there', () => {
    const graph: Graph = { ...EMPTY_GRAPH, nodes: [node('a', { x: 700, y: 3 }), node('b')] }
    expect(positionsOf(graph).get('a')).toEqual({ x: 700, y: 3 })
    expect(positionsOf(graph).get('b')).toBeDefined()
  })

  test('a free place covers no node', () => {
    const place = freePlace({ x: 0, y: 0 }, [
      { x: 16, y: 16 },
      { x: 0, y: 96 }
    ])
    expect(place).toEqual({ x: 0, y: 192 })
  })
})

describe('edits', () => {
  test('a node goes with its edges, and the changes apply in that order', () => {
    const graph = graphOf(['a', 'b', 'c'], [edge('a', 'b'), edge('b', 'c')])
    const after = applied(graph, removeNodesChanges(graph, new Set(['b'])))
    expect(after.nodes.map(({ id }) => id)).toEqual(['a', 'c'])
    expect(after.edges).toEqual([])
  })

  test('no wire closes a circle, leads to its own node or is there twice', () => {
    const graph = graphOf(['a', 'b', 'c'], [edge('a', 'b'), edge('b', 'c')])
    const port = (nodeId: string, name: string) => ({ nodeId, port: name })
    expect(canConnect(graph, port('c', 'out'), port('a', 'in'))).toBe(false)
    expect(canConnect(graph, port('a', 'out'), port('a', 'in'))).toBe(false)
    expect(canConnect(graph, port('a', 'out'), port('b', 'in'))).toBe(false)
    expect(canConnect(graph, port('a', 'out'), port('c', 'in'))).toBe(true)
  })

  test('an input for one wire gives up the one it has; an input for many keeps it', () => {
    const graph = graphOf(['a', 'b', 'c'], [edge('a', 'c')])
    const from = { nodeId: 'b', port: 'out' }
    const to = { nodeId: 'c', port: 'in' }
    expect(applied(graph, connectChanges(graph, from, to, false).changes).edges).toEqual([edge('b', 'c')])
    expect(applied(graph, connectChanges(graph, from, to, true).changes).edges).toHaveLength(2)
  })
})

describe('names', () => {
  test('ids are made of names, fit the rule and are never taken', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.string()), (name, others) => {
        const taken = new Set(others)
        const id = freshNodeId(name, taken)
        expect(id).toMatch(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/)
        const next = freshNodeId(name, new Set([...taken, id]))
        expect(next).not.toBe(id)
        expect(next).toMatch(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/)
      })
    )
    expect(freshNodeId('Late only', new Set())).toBe('late_only')
    expect(freshName('Filter', new Set(['Filter', 'Filter 2']))).toBe('Filter 3')
  })
})

describe('copy and paste', () => {
  test('what is pasted has the same shape under new ids and names', () => {
    const graph: Graph = {
      parameters: {},
      nodes: [node('a', { x: 0, y: 0 }), node('b', { x: 300, y: 0 }), node('c', { x: 600, y: 0 })],
      edges: [edge('a', 'b'), { ...edge('b', 'c'), condition: 'x > 1' }]
    }
    const copied = parseSelection(copySelection(graph, new Set(['b', 'c'])))
    if (copied === null) throw new Error('the selection did not come back')
    const pasted = pasteChanges(graph, copied)
    const after = applied(graph, pasted.changes)
    expect(pasted.nodeIds).toEqual(new Set(['b_2', 'c_2']))
    expect(after.nodes.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'b 2', 'c 2'])
    expect(after.edges.at(-1)).toEqual({ ...edge('b_2', 'c_2'), condition: 'x > 1' })
    expect(after.edges).toHaveLength(3)
    expect(after.nodes.at(-1)).toMatchObject({ x: 632, y: 32 })
  })

  test('pasting twice never meets a name that is taken', () => {
    const graph = graphOf(['a'], [])
    const copied = parseSelection(copySelection(graph, new Set(['a'])))
    if (copied === null) throw new Error('the selection did not come back')
    const once = applied(graph, pasteChanges(graph, copied).changes)
    const twice = applied(once, pasteChanges(once, copied).changes)
    expect(twice.nodes.map(({ id }) => id)).toEqual(['a', 'a_2', 'a_3'])
  })

  test.each(['', 'a,b\n1,2', '{"nodes":[]}', '[1]'])('%j is no selection', (text) => {
    expect(parseSelection(text)).toBeNull()
  })
})
