import { z } from 'zod'
import type { Origin } from './influence.ts'
import type { Traced } from './traced.ts'

const Influence = z.discriminatedUnion('type', [
  z.object({ type: z.literal('DIRECT'), subtype: z.enum(['IDENTITY', 'TRANSFORMATION', 'AGGREGATION']) }),
  z.object({
    type: z.literal('INDIRECT'),
    subtype: z.enum(['JOIN', 'GROUP_BY', 'FILTER', 'SORT', 'WINDOW', 'CONDITIONAL'])
  })
])

/** `maybe`: only that it may be so can be said, as behind a query. */
const Dependence = z.intersection(
  z.object({ from: z.string(), maybe: z.literal(true).optional() }),
  Influence
)

/**
 * What `lineage.edge_json` holds: the nodes at both ends, and from which of the source's columns each of the result's
 * comes. `rows`: columns of the source that decide which rows the result has, and their order. `isCopy`: a file of the
 * table at its other end, column for column. Runs of before columns were recorded have the nodes alone.
 */
export const LineageEdge = z.object({
  fromNode: z.string().optional(),
  toNode: z.string().optional(),
  columns: z.array(z.intersection(z.object({ to: z.string() }), Dependence)).optional(),
  rows: z.array(Dependence).optional(),
  isCopy: z.literal(true).optional()
})
export type LineageEdge = z.infer<typeof LineageEdge>
type Columns = Pick<LineageEdge, 'columns' | 'rows' | 'isCopy'>

export const COPIED: Columns = { isCopy: true }

/** The part of a relation's lineage that begins at one source node. */
export const columnEdge = (traced: Traced | undefined, sourceNodeId: string): Columns => {
  if (traced === undefined) return {}
  // What a source reads is its `out`, or, with a schema, stands before it.
  const relations = new Set([`${sourceNodeId}.out`, `${sourceNodeId}.rows`])
  const dependence = ({ column, influence, isKnown }: Origin) => ({
    from: column,
    ...influence,
    ...(isKnown ? {} : { maybe: true as const })
  })
  const ours = (origins: readonly Origin[]) =>
    origins.filter((origin) => relations.has(origin.relation)).map(dependence)
  return {
    columns: traced.columns.flatMap(({ name, from }) => ours(from).map((each) => ({ to: name, ...each }))),
    rows: ours(traced.rows)
  }
}
