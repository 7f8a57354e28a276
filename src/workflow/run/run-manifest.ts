import { z } from 'zod'
import { UsedItem } from '../catalog/used-item.ts'
import { Graph } from '../graph.ts'
import type { RunMoment } from '../run-functions.ts'
import { RunOptions } from './run-options.ts'

/** A file that a run read, by the hash of its bytes. */
export const ManifestSource = z.object({
  nodeId: z.string(),
  dataSourceId: z.string(),
  name: z.string(),
  sha256: z.string()
})
export type ManifestSource = z.infer<typeof ManifestSource>

/**
 * All that it takes to run something again, as far as a reader needs it; what else stands there is left alone. A run
 * that never started has neither graph nor sources.
 */
export const RunManifest = z.object({
  workflowId: z.string(),
  workflowVersionId: z.string(),
  version: z.int(),
  workflowName: z.string(),
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  until: z.string().optional(),
  options: RunOptions.optional(),
  verifies: z.string().optional(),
  retryOf: z.string().optional(),
  replayOf: z.string().optional(),
  graph: Graph.optional(),
  sources: z.array(ManifestSource).optional(),
  /** Which items of the catalog, in which versions; none in runs from before there were any. */
  catalog: z.array(UsedItem).optional(),
  engine: z.string().optional(),
  /** Bytes that the engine was allowed. */
  memoryBudget: z.int().optional(),
  clock: z.string().optional(),
  seed: z.string().optional()
})
export type RunManifest = z.infer<typeof RunManifest>

/** The moment in which a run computes; undefined where it has not begun, so that it has none yet. */
export const momentOf = ({ clock, seed }: Pick<RunManifest, 'clock' | 'seed'>): RunMoment | undefined =>
  clock === undefined || seed === undefined ? undefined : { clock, seed }
