import { FlowForgeError, type DbContext } from '../../db/ports.ts'
import type { Graph } from '../../workflow/graph.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import { isWhole, type StoredArtifact } from './stored-artifacts.ts'

/**
 * The pinned rows that a plan takes, by relation: every byte of them is there, as it was when they were pinned.
 * @throws FlowForgeError `CONFLICT` where they are gone or damaged, `CANCELED`
 */
export const pinnedRows = async (
  { blobStore }: Pick<DbContext, 'blobStore'>,
  { plan, graph, signal }: { readonly plan: Plan; readonly graph: Graph; readonly signal: AbortSignal }
): Promise<ReadonlyMap<string, StoredArtifact>> => {
  const found = new Map<string, StoredArtifact>()
  for (const { id, nodeId, port, pinned } of plan.relations) {
    if (pinned === undefined) continue
    const { artifactId, runId, blobKey: uri, sha256, bytes, rows, layout, columns } = pinned
    // oxlint-disable-next-line no-await-in-loop -- one file at a time
    if (!(await isWhole(blobStore, { uri, bytes, sha256 }, signal))) {
      const name = graph.nodes.find((node) => node.id === nodeId)?.name ?? nodeId
      const message = `The pinned rows of "${name}" are gone or damaged. Unpin it, or run to it again and pin those rows.`
      throw new FlowForgeError('CONFLICT', message, { nodeId, runId })
    }
    const facts = { uri, sha256, bytes, rows, layout, columns: [...columns] }
    found.set(id, {
      ...facts,
      id: artifactId,
      run_id: runId,
      nodeId,
      port,
      kind: 'table',
      format: 'arrow',
      role: 'result'
    })
  }
  return found
}
