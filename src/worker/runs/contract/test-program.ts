// oxlint-disable-next-line no-restricted-imports -- a test puts together what the composition root does
import { readSqliteFile } from '../../../db/index.ts'
import type { DbContext } from '../../../db/ports.ts'
import type { FlowForgeApi } from '../../api.ts'
import { openComputeEngine } from '../../engine/open-compute-engine.ts'
import { startProgram } from '../../program.ts'
import { systemWorld } from '../../world.ts'

/** The whole program over a store and the real engine, and what tests of runs look at. */
export type TestProgram = {
  readonly flowforge: FlowForgeApi
  readonly importText: (name: string, text: string) => Promise<string>
  /** Starts a run, waits for its end. */
  readonly run: (args: Parameters<FlowForgeApi['runs']['start']>[0]) => Promise<{
    readonly runId: string
    readonly status: string
    readonly message: string | undefined
  }>
  /** By node: status, and whether it was reused. */
  readonly steps: (runId: string) => Promise<Record<string, string>>
  readonly artifacts: (runId: string, role?: string) => Promise<Record<string, string>>
  readonly rows: (runId: string, nodeId: string) => Promise<readonly Record<string, unknown>[]>
  readonly close: () => Promise<void>
}

export const startTestProgram = async (context: DbContext): Promise<TestProgram> => {
  const engine = openComputeEngine({ blobStore: context.blobStore, readSqliteFile })
  const { flowforge } = await startProgram({ context, engine, world: systemWorld, baseUrl: '/' })
  const query = (sql: string, ...params: unknown[]) => context.projectionStore.query({ sql, params })
  const keyOf = (nodeId: unknown): string => String(nodeId).replace(/^.*\//, '')
  return {
    flowforge,
    importText: async (name, text) =>
      (await flowforge.sources.importFile({ file: new File([text], name) })).dataSourceId,
    run: async (args) => {
      const { runId } = await flowforge.runs.start(args)
      const { status, error } = await flowforge.runs.wait({ runId })
      return { runId, status, message: error?.message }
    },
    steps: async (runId) => {
      const rows = await query(
        `SELECT node_id, status, stats_json ->> '$.reused.runId' AS reused FROM run_steps WHERE run_id = ?`,
        runId
      )
      return Object.fromEntries(
        rows.map(({ node_id, status, reused }) => [
          keyOf(node_id),
          reused === null ? String(status) : 'reused'
        ])
      )
    },
    artifacts: async (runId, role = 'result') => {
      const rows = await query(
        `SELECT node_id, kind, sha256 FROM artifacts WHERE run_id = ? AND stats_json ->> '$.role' = ?`,
        runId,
        role
      )
      return Object.fromEntries(
        rows.map(({ node_id, kind, sha256 }) => [`${keyOf(node_id)} ${String(kind)}`, String(sha256)])
      )
    },
    rows: async (runId, nodeId) => {
      const [row] = await query(
        `SELECT id FROM artifacts WHERE run_id = ? AND node_id LIKE ? AND kind = 'table'`,
        runId,
        `%/${nodeId}`
      )
      return (await flowforge.artifacts.read({ artifactId: String(row?.['id']) })).rows
    },
    close: async () => {
      await engine.close()
      await context.close()
    }
  }
}

type NodeOf = readonly [id: string, kind: string, spec: Record<string, unknown>]

/** A workflow document of a few words; an edge is `from.port` → `to.port`. */
export const documentOf = (
  name: string,
  nodes: readonly NodeOf[],
  edges: readonly (readonly [string, string])[],
  parameters: Record<string, unknown> = {}
) => ({
  format: 'flowforge.workflow/1',
  name,
  parameters,
  nodes: nodes.map(([id, kind, spec]) => ({ id, kind, name: id, spec })),
  edges: edges.map(([from, to]) => {
    const [fromNode, fromPort = 'out'] = from.split('.')
    const [toNode, toPort = 'in'] = to.split('.')
    return { from: fromNode, fromPort, to: toNode, toPort }
  })
})
