import { z } from 'zod'
import type { DbContext } from '../../db/ports.ts'
import type { StepStats } from '../../workflow/run/events.ts'
import type { Run, RunStepStatus } from '../../workflow/run/run-state.ts'
import type { RunCommand } from '../../workflow/run/run.ts'
import { artifactsOfRun, type StoredArtifact } from './stored-artifacts.ts'

/** What a run that is resumed has done already: its finished steps, and its artifacts by node. */
export type Earlier = {
  readonly done: ReadonlySet<string>
  /** Nodes whose steps are under way: the run is planned anew in the midst of them. */
  readonly begun: ReadonlySet<string>
  readonly sources: ReadonlyMap<string, string>
  readonly tables: ReadonlyMap<string, StoredArtifact>
}

export const NOTHING_EARLIER: Earlier = {
  done: new Set(),
  begun: new Set(),
  sources: new Map(),
  tables: new Map()
}

export const earlierOf = async (context: DbContext, runId: string, run: Run): Promise<Earlier> => {
  const stepsThatAre = (wanted: RunStepStatus): ReadonlySet<string> =>
    new Set(Object.values(run.steps).flatMap(({ nodeId, status }) => (status === wanted ? [nodeId] : [])))
  const artifacts = await artifactsOfRun(context, runId)
  const byNode = (wanted: readonly StoredArtifact[]) =>
    wanted.flatMap((artifact) => (artifact.nodeId === null ? [] : [[artifact.nodeId, artifact] as const]))
  return {
    done: stepsThatAre('succeeded'),
    begun: stepsThatAre('running'),
    sources: new Map(
      byNode(artifacts.filter(({ role }) => role === 'source')).map(([nodeId, { id }]) => [nodeId, id])
    ),
    tables: new Map(byNode(artifacts.filter(({ role, kind }) => role === 'result' && kind === 'table')))
  }
}

const Counts = z.object({
  rowsIn: z.number().nullish(),
  rowsOut: z.number().nullish(),
  rejected: z.number().optional()
})

/** How many rows a step of another run took, gave and rejected; null where it does not say. */
export const countsOf = async (
  { projectionStore }: Pick<DbContext, 'projectionStore'>,
  runId: string,
  nodeId: string
): Promise<Pick<StepStats, 'rowsIn' | 'rowsOut' | 'rejected'>> => {
  const sql = `SELECT stats_json FROM run_steps WHERE id = ? AND status = 'succeeded'`
  const [row] = await projectionStore.query({ sql, params: [`${runId}/${nodeId}`] })
  const counts = Counts.safeParse(row === undefined ? {} : JSON.parse(String(row['stats_json']))).data
  const rows = { rowsIn: counts?.rowsIn ?? null, rowsOut: counts?.rowsOut ?? null }
  return counts?.rejected === undefined ? rows : { ...rows, rejected: counts.rejected }
}

/** An artifact of another run as one of this run's own: the same bytes. */
export const takeOver = (
  { id, kind, uri, format, columns, rows, sha256, bytes, layout, key, fileName, rowIds }: StoredArtifact,
  own: {
    readonly artifactId: string
    readonly stepId: string
    readonly nodeId: string
    /** The one of this run's node: the rows may be those that another node wrote. */
    readonly port: string
    readonly fileName: string | null
  }
): RunCommand => {
  const name = kind === 'file' ? (own.fileName ?? fileName) : undefined
  return {
    type: 'WriteArtifact',
    artifactId: own.artifactId,
    stepId: own.stepId,
    nodeId: own.nodeId,
    role: 'result',
    kind: kind === 'file' ? 'file' : 'table',
    uri,
    format,
    columns,
    rows,
    sha256,
    bytes,
    reusedFrom: id,
    ...(layout === undefined ? {} : { layout }),
    ...(key === undefined ? {} : { key }),
    ...(own.port === 'in' ? {} : { port: own.port }),
    ...(name === undefined ? {} : { fileName: name }),
    ...(rowIds === undefined ? {} : { rowIds })
  }
}
