import type { DbContext } from '../../db/ports.ts'
import type { Plan } from '../../workflow/plan-types.ts'
import type { Spent } from '../engine/run-limits.ts'
import { artifactsOfRun, type StoredArtifact } from './stored-artifacts.ts'

const relationOf = ({ nodeId, port = 'in' }: StoredArtifact): string => `${nodeId}.${port}`

/**
 * Rows and bytes that a run has written in an earlier attempt and that stay: they count towards its limits. What is left
 * to do, in `plan`, is written anew and counted then; what was taken from another run was written there.
 */
export const writtenBefore = async (
  context: Pick<DbContext, 'projectionStore'>,
  runId: string,
  { sinks, shared }: Plan
): Promise<Omit<Spent, 'ms'>> => {
  const isAnew = new Set([...sinks.map(({ relation }) => relation), ...shared])
  const own = (await artifactsOfRun(context, runId)).filter(
    (artifact) =>
      artifact.role !== 'source' && artifact.reusedFrom === undefined && !isAnew.has(relationOf(artifact))
  )
  const results = own.filter(({ role, kind }) => role === 'result' && kind === 'table')
  return {
    rows: results.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
    bytes: own.reduce((sum, { bytes, rowIds }) => sum + bytes + (rowIds?.bytes ?? 0), 0)
  }
}
