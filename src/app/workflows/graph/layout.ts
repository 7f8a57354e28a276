import { Graph as LayoutGraph, layout } from '@dagrejs/dagre'
import type { Graph } from '../../../workflow/graph.ts'

/** A node's size on the canvas, in CSS pixels at zoom 1. */
export const NODE_WIDTH = 208
export const NODE_HEIGHT = 64

export type Position = { readonly x: number; readonly y: number }

const GRID = 16
const toGrid = (value: number): number => Math.round(value / GRID) * GRID

/** Places every node left to right by what feeds what; answers with each node's top left corner, on the grid. */
export const layOut = (graph: Graph): ReadonlyMap<string, Position> => {
  const drawing = new LayoutGraph({ multigraph: true })
  drawing.setGraph({ rankdir: 'LR', nodesep: 48, ranksep: 64, marginx: 32, marginy: 32 })
  drawing.setDefaultEdgeLabel(() => ({}))
  for (const { id } of graph.nodes) drawing.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT })
  for (const { from, fromPort, to, toPort } of graph.edges) {
    if (drawing.hasNode(from) && drawing.hasNode(to)) drawing.setEdge(from, to, {}, `${fromPort} ${toPort}`)
  }
  layout(drawing)
  return new Map(
    graph.nodes.map(({ id }) => {
      const { x, y } = drawing.node(id)
      return [id, { x: toGrid((x ?? 0) - NODE_WIDTH / 2), y: toGrid((y ?? 0) - NODE_HEIGHT / 2) }]
    })
  )
}

/** Where every node stands: as it was put, or as the layout has it where it was not. */
export const positionsOf = (graph: Graph): ReadonlyMap<string, Position> => {
  const laidOut = graph.nodes.every(({ x, y }) => x !== undefined && y !== undefined) ? null : layOut(graph)
  return new Map(
    graph.nodes.map(({ id, x, y }) => [
      id,
      x !== undefined && y !== undefined ? { x, y } : (laidOut?.get(id) ?? { x: 0, y: 0 })
    ])
  )
}

const overlaps = (a: Position, b: Position): boolean =>
  Math.abs(a.x - b.x) < NODE_WIDTH + GRID && Math.abs(a.y - b.y) < NODE_HEIGHT + GRID

/** The first free place at or below the wanted one. */
export const freePlace = (wanted: Position, taken: readonly Position[]): Position => {
  let place = { x: toGrid(wanted.x), y: toGrid(wanted.y) }
  while (taken.some((other) => overlaps(place, other)))
    place = { x: place.x, y: place.y + NODE_HEIGHT + GRID * 2 }
  return place
}
