import { Graph as LayoutGraph, layout } from '@dagrejs/dagre'
import type { LineageGraph } from './lineage-graph.ts'

/** Sizes in CSS pixels at zoom 1; a column's row is one of a grid of data. */
export const BOX_WIDTH = 200
const HEAD_HEIGHT = 72
const COLUMN_HEIGHT = 26
/** Columns that a box shows before it scrolls. */
export const SHOWN_COLUMNS = 12

export type Place = { readonly x: number; readonly y: number }

export const boxHeight = (columns: number): number =>
  HEAD_HEIGHT + (columns === 0 ? 0 : 8 + COLUMN_HEIGHT * Math.min(columns, SHOWN_COLUMNS))

/** Places boxes left to right by what feeds what; `columnsOf` says how many columns a box has open. */
export const layOutLineage = (
  { boxes, wires }: LineageGraph,
  columnsOf: (boxId: string) => number
): ReadonlyMap<string, Place> => {
  const drawing = new LayoutGraph()
  drawing.setGraph({ rankdir: 'LR', nodesep: 24, ranksep: 40, marginx: 16, marginy: 16 })
  drawing.setDefaultEdgeLabel(() => ({}))
  for (const { id } of boxes) drawing.setNode(id, { width: BOX_WIDTH, height: boxHeight(columnsOf(id)) })
  for (const { from, to } of wires) drawing.setEdge(from, to)
  layout(drawing)
  return new Map(
    boxes.map(({ id }) => {
      const { x, y } = drawing.node(id)
      return [id, { x: (x ?? 0) - BOX_WIDTH / 2, y: (y ?? 0) - boxHeight(columnsOf(id)) / 2 }]
    })
  )
}
