import { z } from 'zod'
import { FlowForgeError, type DbContext } from '../../db/ports.ts'
import { catalogAggregate } from '../../workflow/catalog/catalog-item.ts'
import { UsedItem } from '../../workflow/catalog/used-item.ts'
import { resolveGraph } from '../../workflow/catalog/resolve.ts'
import { compareRules } from '../../workflow/catalog/what-if.ts'
import { Graph } from '../../workflow/graph.ts'
import { upstreamOf } from '../../workflow/graph-order.ts'
import { ManifestSource, momentOf } from '../../workflow/run/run-manifest.ts'
import type { AggregateStore } from '../aggregate-store.ts'
import type { WhatIf } from '../api.ts'
import type { Catalog } from '../catalog.ts'
import type { ComputeEngine } from '../engine/compute-engine.ts'
import { rejectingIn } from '../past-run.ts'
import type { Planning } from '../planning.ts'
import type { ItemVersions } from './item-versions.ts'

/** What a run's manifest says that it takes to compare; see `runs.input_manifest_json`. */
const Manifest = z.object({
  graph: Graph,
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  sources: z.array(ManifestSource),
  catalog: z.array(UsedItem),
  clock: z.string().optional(),
  seed: z.string().optional()
})
type Manifest = z.infer<typeof Manifest>

type Parts = {
  context: DbContext
  aggregates: AggregateStore
  itemVersions: ItemVersions
  catalog: Catalog
  planning: Planning
  engine: ComputeEngine
}

const refuse = (message: string, details: Record<string, unknown>): never => {
  throw new FlowForgeError('INVALID_INPUT', message, details)
}

const readManifest = async (context: DbContext, runId: string): Promise<Manifest> => {
  const sql = 'SELECT input_manifest_json FROM runs WHERE id = ?'
  const [row] = await context.projectionStore.query({ sql, params: [runId] })
  if (row === undefined) throw new FlowForgeError('NOT_FOUND', 'There is no such run.', { runId })
  const manifest = Manifest.safeParse(JSON.parse(String(row['input_manifest_json'] ?? '{}')))
  return (
    manifest.data ??
    refuse('This run does not say what it was made from: it never started, or is of an older version.', {
      runId
    })
  )
}

const asRead = async (catalog: Catalog, dataSourceId: string, sha256: string) => {
  try {
    return await catalog.asRead(dataSourceId, sha256)
  } catch (thrown) {
    if (thrown instanceof FlowForgeError && thrown.code === 'NOT_FOUND') return undefined
    throw thrown
  }
}

/**
 * What a run read, as it was then; a file that was imported again under its name, to be read the same way, is the same one.
 * @throws FlowForgeError `CONFLICT` where it is not here any more
 */
const sourcesAsRead = async (
  catalog: Catalog,
  { sources }: Manifest,
  wanted: ReadonlySet<string>
): Promise<readonly ManifestSource[]> => {
  const found: ManifestSource[] = []
  for (const source of sources) {
    const { nodeId, dataSourceId, name, sha256 } = source
    if (!wanted.has(nodeId)) continue
    // oxlint-disable-next-line no-await-in-loop -- few, and one database
    const same =
      (await asRead(catalog, dataSourceId, sha256)) ??
      // oxlint-disable-next-line no-await-in-loop -- few, and one database
      (await catalog.sameFile(name, sha256, await catalog.importOptions(dataSourceId)))
    if (same === undefined) {
      const message = `The run read "${name}", which is not here any more as it was. Import that file again under this name.`
      throw new FlowForgeError('CONFLICT', message, { nodeId, name, sha256 })
    }
    found.push({ ...source, dataSourceId: same.id })
  }
  return found
}

/** Compares what a draft rule set would have made of the rows of a past run with what the run's own version made. */
export const createWhatIf =
  ({ context, aggregates, itemVersions, catalog, planning, engine }: Parts) =>
  async (args: { itemId: string; runId: string; limit?: number | undefined }): Promise<WhatIf> => {
    const { itemId, runId, limit = 100 } = args
    const { draft, name } = (await aggregates.load(catalogAggregate, itemId)).state
    if (draft === null || draft.kind !== 'rule-set') {
      return refuse('There is no draft of this rule set to compare. Edit it first.', { itemId })
    }
    const manifest = await readManifest(context, runId)
    const uses = manifest.catalog.filter((used) => used.kind === 'rule-set' && used.itemId === itemId)
    if (uses.length === 0) return refuse(`This run did not use the rule set "${name}".`, { itemId, runId })
    const { graph } = resolveGraph(manifest.graph, await itemVersions.ofRun(manifest.catalog))
    const rejecting = await rejectingIn(context, runId)
    const nodes: WhatIf['nodes'] = []
    for (const { nodeId, version } of uses) {
      const wanted = upstreamOf(graph.edges, nodeId)
      const asking = graph.nodes.find(({ id, kind }) => kind === 'http' && wanted.has(id))
      if (asking !== undefined) {
        return refuse(`"${asking.name}" before the rules asks a service, which a comparison does not do.`, {
          nodeId
        })
      }
      const pinned = graph.nodes.find(({ id, pin }) => pin !== undefined && wanted.has(id))
      if (pinned !== undefined) {
        return refuse(
          `The rows before the rules are pinned rows of "${pinned.name}". Choose a run without pins.`,
          {
            nodeId
          }
        )
      }
      // oxlint-disable-next-line no-await-in-loop -- one engine
      const inputs = await sourcesAsRead(catalog, manifest, wanted)
      const comparison = compareRules(graph, nodeId, draft.spec.rules)
      if (comparison === undefined) continue
      const given = Object.entries(manifest.parameters).filter(([key]) =>
        Object.hasOwn(manifest.graph.parameters, key)
      )
      // oxlint-disable-next-line no-await-in-loop -- the same
      const { plan, sources } = await planning.plan(comparison.graph, {
        parameters: Object.fromEntries(given),
        until: comparison.nodeId,
        inputs,
        items: manifest.catalog,
        rejecting,
        moment: momentOf(manifest)
      })
      const relation = `${comparison.nodeId}.out`
      const signal = new AbortController().signal
      // oxlint-disable-next-line no-await-in-loop -- the same
      const changed = await engine.preview({ plan, relation, limit, sources, signal })
      const nodeName = graph.nodes.find(({ id }) => id === nodeId)?.name ?? nodeId
      nodes.push({ nodeId, nodeName, version, changed })
    }
    return { nodes }
  }
