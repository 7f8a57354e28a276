import type { NodeKind } from '../../../workflow/graph.ts'
import { emptySpec } from '../../../workflow/node-defaults.ts'
import { nodeKindLooks } from '../../ui/node-kinds.ts'

export type NodeSpec = Readonly<Record<string, unknown>>

/** What a node of a kind does, for the palette. */
export const nodeKindDoes: Readonly<Record<NodeKind, string>> = {
  source: 'Brings in the rows of a data source',
  transform: 'Filters, derives, aggregates, sorts: one step after another',
  join: 'Puts rows of two inputs side by side',
  rule: 'Gives each row a decision and a reason',
  http: 'Asks a service for each row, each key or once',
  branch: 'Sends rows different ways',
  sink: 'Writes the result to a file'
}

/** A node that the palette can make: its kind, a first name and a first spec. */
export type NodeTemplate = {
  readonly kind: NodeKind
  readonly name: string
  readonly does: string
  readonly spec: NodeSpec
}

export const kindTemplate = (kind: NodeKind): NodeTemplate => ({
  kind,
  name: nodeKindLooks[kind].label,
  does: nodeKindDoes[kind],
  spec: emptySpec(kind)
})

/** A source node is called like its data source, without the file's ending. */
export const sourceTemplate = (dataSource: string): NodeTemplate => ({
  kind: 'source',
  name: dataSource.replace(/\.[A-Za-z0-9]{1,8}$/, '') || dataSource,
  does: `Source of ${dataSource}`,
  spec: { dataSource }
})
