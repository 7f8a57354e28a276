import type { NodeKind } from '../../../workflow/graph.ts'
import { emptySpec } from '../../../workflow/node-defaults.ts'

export type NodeSpec = Readonly<Record<string, unknown>>

/** What the palette says about a kind. */
export const nodeKindTexts: Readonly<Record<NodeKind, { readonly label: string; readonly does: string }>> = {
  source: { label: 'Source', does: 'Brings in the rows of a data source' },
  transform: { label: 'Transform', does: 'Filters, derives, aggregates, sorts: one step after another' },
  join: { label: 'Join', does: 'Puts rows of two inputs side by side' },
  rule: { label: 'Rule', does: 'Gives each row a decision and a reason' },
  http: { label: 'HTTP', does: 'Asks a service for each row; cannot run in this version' },
  branch: { label: 'Branch', does: 'Sends rows different ways' },
  sink: { label: 'Sink', does: 'Writes the result to a file' }
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
  name: nodeKindTexts[kind].label,
  does: nodeKindTexts[kind].does,
  spec: emptySpec(kind)
})

/** A source node is called like its data source, without the file's ending. */
export const sourceTemplate = (dataSource: string): NodeTemplate => ({
  kind: 'source',
  name: dataSource.replace(/\.[A-Za-z0-9]{1,8}$/, '') || dataSource,
  does: `Source of ${dataSource}`,
  spec: { dataSource }
})
