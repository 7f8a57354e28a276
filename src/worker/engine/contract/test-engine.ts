// oxlint-disable-next-line no-restricted-imports -- a test puts together what the composition root does
import { readSqliteFile } from '../../../db/index.ts'
import type { DbContext } from '../../../db/ports.ts'
import { planGraph } from '../../../workflow/plan.ts'
import type { Graph, ParameterValues } from '../../../workflow/graph.ts'
import type { Plan } from '../../../workflow/plan-types.ts'
import {
  sourceKey,
  type ComputeEngine,
  type ExecutionListener,
  type PreparedSource,
  type PreparedSources,
  type SourceKind,
  type StepStats,
  type WrittenArtifact
} from '../compute-engine.ts'
import { openComputeEngine } from '../open-compute-engine.ts'

/** The real engine over a real store in memory, and what tests do with it. */
export type TestEngine = {
  readonly context: DbContext
  readonly engine: ComputeEngine
  put(content: string | Uint8Array<ArrayBuffer> | Blob): Promise<string>
  prepare(
    fileName: string,
    content: string | Uint8Array<ArrayBuffer> | Blob,
    options?: Record<string, unknown>
  ): Promise<PreparedSource>
  /** Every row of a source. */
  rows(source: PreparedSource): Promise<Record<string, unknown>[]>
  /** Plans a graph whose sources go by the names given. */
  plan(
    graph: Pick<Graph, 'nodes'> & {
      edges: readonly (readonly [string, string])[]
      parameters?: Graph['parameters']
    },
    named: Record<string, PreparedSource>,
    options?: { parameters?: ParameterValues; until?: string }
  ): Promise<{ plan: Plan; sources: PreparedSources }>
  close(): Promise<void>
}

let ids = 0
const nextId = (): string => {
  ids += 1
  return `id-${ids}`
}

const kindOf = (fileName: string): SourceKind => {
  if (fileName.endsWith('.xlsx')) return 'excel'
  if (fileName.endsWith('.parquet')) return 'parquet'
  if (fileName.endsWith('.arrow')) return 'file'
  if (/\.(sqlite|db|duckdb)$/.test(fileName)) return 'db'
  return /json[l]?$/.test(fileName) ? 'json' : 'csv'
}

const toEdge = ([from, to]: readonly [string, string]): Graph['edges'][number] => {
  const [fromNode = '', fromPort = 'out'] = from.split('.')
  const [toNode = '', toPort = 'in'] = to.split('.')
  return { from: fromNode, fromPort, to: toNode, toPort }
}

/** What a store in memory is opened with. */
export const IN_MEMORY = { storage: 'memory', now: () => '2026-01-01T00:00:00.000Z', newId: nextId } as const

export const openTestEngine = (context: DbContext): TestEngine => {
  const { blobStore } = context
  const engine = openComputeEngine({ blobStore, readSqliteFile })
  const put: TestEngine['put'] = async (content) => {
    const stored = await blobStore.putStream({ prefix: 'sources/', stream: new Blob([content]).stream() })
    return stored.key
  }
  return {
    context,
    engine,
    put,
    prepare: async (fileName, content, options) => {
      const blobKey = await put(content)
      const kind = kindOf(fileName)
      return engine.prepare(
        options === undefined ? { blobKey, fileName, kind } : { blobKey, fileName, kind, options }
      )
    },
    rows: async (source) => (await engine.page({ source, offset: 0, limit: 1_000_000 })).rows,
    plan: async ({ nodes, edges, parameters = {} }, named, { parameters: values = {}, until } = {}) => {
      const sources = new Map<string, PreparedSource>()
      for (const [name, source] of Object.entries(named)) sources.set(sourceKey(name, {}), source)
      const answer = await planGraph({
        graph: { nodes, edges: edges.map(toEdge), parameters },
        parameters: values,
        binder: await engine.binder(parameters),
        catalog: {
          find: async (name) => {
            const source = named[name]
            return source && { dataSourceId: name, name, columns: source.columns, rows: source.rows }
          }
        },
        until
      })
      if (answer.plan === undefined) throw new Error(JSON.stringify(answer.problems, null, 2))
      return { plan: answer.plan, sources }
    },
    close: async () => {
      await engine.close()
      await context.close()
    }
  }
}

export type Told = {
  readonly listener: ExecutionListener
  readonly started: string[]
  readonly succeeded: Map<string, StepStats>
  /** The last that was told, by node. */
  readonly read: Map<string, number>
  readonly artifacts: WrittenArtifact[]
  readonly logs: string[]
}

/** A listener that notes what it hears. */
export const listening = (): Told => {
  const told = {
    started: [] as string[],
    succeeded: new Map<string, StepStats>(),
    read: new Map<string, number>(),
    artifacts: [] as WrittenArtifact[],
    logs: [] as string[]
  }
  return {
    ...told,
    listener: {
      stepStarted: async (nodeId) => void told.started.push(nodeId),
      stepProgressed: () => undefined,
      stepRead: (nodeId, bytes) => void told.read.set(nodeId, bytes),
      stepSucceeded: async (nodeId, stats) => void told.succeeded.set(nodeId, stats),
      artifactWritten: async (artifact) => void told.artifacts.push(artifact),
      log: async ({ message }) => void told.logs.push(message)
    }
  }
}
