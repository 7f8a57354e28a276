import type { Graph } from '../../../workflow/graph.ts'
import type { PortRef } from '../graph/graph-edits.ts'
import type { RunArtifact } from '../run-rows.ts'

/** The table of a run that holds a port's rows: the node's own, or that of a sink that takes them as they are. */
export const artifactOfPort = (
  artifacts: readonly RunArtifact[],
  { edges }: Pick<Graph, 'edges'>,
  { nodeId, port }: PortRef
): RunArtifact | undefined => {
  const tables = artifacts.filter(({ kind, role }) => kind === 'table' && role !== 'source')
  const takers = edges
    .filter(
      ({ from, fromPort, condition }) => from === nodeId && fromPort === port && condition === undefined
    )
    .map(({ to }) => to)
    .filter((to) => edges.filter((edge) => edge.to === to).length === 1)
  return (
    tables.find((table) => table.nodeId === nodeId && table.port === port) ??
    tables.find((table) => table.port === 'in' && takers.some((to) => to === table.nodeId))
  )
}
