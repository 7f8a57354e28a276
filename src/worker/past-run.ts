import { z } from 'zod'
import { FlowForgeError, type DbContext } from '../db/ports.ts'
import { resolveGraph } from '../workflow/catalog/resolve.ts'
import { UsedItem } from '../workflow/catalog/used-item.ts'
import { planExplanation, type ExplainPlan } from '../workflow/explain/explain-plan.ts'
import type { FindResponses } from '../workflow/explain/responses.ts'
import { Graph } from '../workflow/graph.ts'
import { nodesNeeded } from '../workflow/pinning.ts'
import type { Problem } from '../workflow/problem.ts'
import { momentOf } from '../workflow/run/run-manifest.ts'
import { runVariables } from '../workflow/run-functions.ts'
import type { ExplainedFile } from './api/explain.ts'
import type { Catalog, CatalogSource } from './catalog.ts'
import type { AskService } from './engine/ask-service.ts'
import type { ItemVersions } from './catalog-items/item-versions.ts'
import {
  sourceKey,
  type ComputeEngine,
  type PreparedSource,
  type PreparedSources
} from './engine/compute-engine.ts'
import type { AskingRun } from './http/ask.ts'
import { createRecordedResponses } from './http/recorded-responses.ts'

/** What a run's manifest says that it takes to compute its rows again. */
const Manifest = z.object({
  workflowId: z.string(),
  replayOf: z.string().optional(),
  verifies: z.string().optional(),
  graph: Graph,
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  sources: z.array(
    z.object({ nodeId: z.string(), dataSourceId: z.string(), name: z.string(), sha256: z.string() })
  ),
  catalog: z.array(UsedItem).default([]),
  clock: z.string().optional(),
  seed: z.string().optional()
})

/** A run that can be looked into: its plan up to a node, the very files that it read, and the items of the catalog that it used. */
export type PastRun = {
  readonly explained: ExplainPlan
  readonly sources: PreparedSources
  readonly files: ExplainedFile[]
  readonly items: UsedItem[]
  /** Answers of services as the run recorded them; nothing is sent. */
  readonly answers: AskService
  readonly findResponses: FindResponses
}

type Parts = {
  readonly context: DbContext
  readonly catalog: Catalog
  readonly itemVersions: ItemVersions
  readonly engine: ComputeEngine
  readonly askFor: (run: AskingRun) => AskService
}

const gone = (name: string): FlowForgeError =>
  new FlowForgeError(
    'NOT_FOUND',
    `"${name}", which this run read, is not in the catalog any more: its rows cannot be computed again.`,
    { name }
  )

/** The answer may be a problem of the graph, or of an item that it names. */
const cannotLookInto = (problems: readonly Problem[]): FlowForgeError =>
  new FlowForgeError('CONFLICT', `This run cannot be looked into: ${problems[0]?.message ?? ''}`, {
    problems
  })

/** What feeds pinned nodes was not computed: there is nothing of it to be followed. */
const expectComputed = (graph: Graph, nodeId: string): void => {
  const needed = nodesNeeded(graph, nodeId)
  const pinned = graph.nodes.find(({ id, pin }) => pin !== undefined && needed.has(id))
  if (pinned?.pin === undefined) return
  const { name, pin } = pinned
  const message = `These rows rest on pinned rows of "${name}", which this run did not compute. Unpin it and run again to follow them, or look into the run that they were pinned from.`
  throw new FlowForgeError('CONFLICT', message, { nodeId: pinned.id, runId: pin.runId })
}

const openManifest = async ({ context }: Parts, runId: string): Promise<z.infer<typeof Manifest>> => {
  const sql = 'SELECT input_manifest_json FROM runs WHERE id = ?'
  const [row] = await context.projectionStore.query({ sql, params: [runId] })
  const json = row?.['input_manifest_json']
  const manifest = Manifest.safeParse(typeof json === 'string' ? JSON.parse(json) : undefined)
  if (manifest.success) return manifest.data
  throw new FlowForgeError('NOT_FOUND', 'There is no such run, or it had not begun.', { runId })
}

/** A step that was reused rejects what it did in the run that it was taken from, also where it does not say so itself. */
const REJECTING = `
  WITH RECURSIVE done (id, stats_json) AS (
    SELECT id, stats_json FROM run_steps WHERE run_id = ?
    UNION
    SELECT s.id, s.stats_json FROM done d
    JOIN run_steps s ON s.id = (d.stats_json ->> '$.reused.runId') || substr(d.id, instr(d.id, '/'))
  )
  SELECT DISTINCT substr(id, instr(id, '/') + 1) AS node FROM done WHERE stats_json ->> '$.rejected' > 0`

/** Nodes at which a run rejected rows for which an expression failed. */
export const rejectingIn = async (context: DbContext, runId: string): Promise<ReadonlySet<string>> => {
  const rows = await context.projectionStore.query({ sql: REJECTING, params: [runId] })
  return new Set(rows.map(({ node }) => String(node)))
}

/**
 * Plans a run anew up to what leaves a node by a port, over the files that it read.
 * @throws FlowForgeError `NOT_FOUND` where a file is gone, `CONFLICT` where this version cannot compute it again
 */
export const openPastRun = async (
  parts: Parts,
  runId: string,
  { nodeId, port }: { readonly nodeId: string; readonly port: string }
): Promise<PastRun> => {
  const { context, catalog, itemVersions, engine, askFor } = parts
  const manifest = await openManifest(parts, runId)
  expectComputed(manifest.graph, nodeId)
  const resolved = resolveGraph(manifest.graph, await itemVersions.ofRun(manifest.catalog))
  if (resolved.problems.length > 0) throw cannotLookInto(resolved.problems)
  const { graph } = resolved
  const files = new Map<string, CatalogSource>()
  for (const { dataSourceId, name, sha256 } of manifest.sources) {
    // oxlint-disable-next-line no-await-in-loop -- a handful, and the first that is gone is what is told
    const found = await catalog.asRead(dataSourceId, sha256).catch(() => undefined)
    if (found === undefined) throw gone(name)
    files.set(name, found)
  }
  const moment = momentOf(manifest)
  const sources = new Map<string, PreparedSource>()
  const answer = await planExplanation({
    graph,
    parameters: { ...manifest.parameters, ...resolved.values, ...(moment && runVariables(moment)) },
    binder: await engine.binder(graph.parameters),
    until: nodeId,
    port,
    rejecting: await rejectingIn(context, runId),
    catalog: {
      findSchema: catalog.findSchema,
      // By the name that the source had then.
      find: async (name, options) => {
        const found = files.get(name)
        if (found === undefined) return undefined
        const prepared = await catalog.prepared(found, options)
        sources.set(sourceKey(found.id, options), prepared)
        const { columns, rows } = prepared
        return { dataSourceId: found.id, name, columns, rows, untyped: found.kind === 'csv' }
      }
    }
  })
  if (!('plan' in answer)) throw cannotLookInto(answer.problems.map(resolved.toOriginal))
  const recordedIn = manifest.replayOf ?? manifest.verifies ?? runId
  const responses = createRecordedResponses(context, recordedIn)
  return {
    explained: answer.plan,
    sources,
    answers: askFor({
      runId,
      workflowId: manifest.workflowId,
      recordedIn,
      log: async () => undefined,
      onRecorded: responses.note
    }),
    findResponses: responses.find,
    items: manifest.catalog,
    files: manifest.sources.map(({ nodeId: reader, name, sha256 }) => ({
      nodeId: reader,
      name,
      fileName: files.get(name)?.config.fileName ?? name,
      sha256
    }))
  }
}
