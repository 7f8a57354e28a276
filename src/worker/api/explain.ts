import { z } from 'zod'
import type { UsedItem } from '../../workflow/catalog/used-item.ts'
import type { CellExplanation, MissingExplanation } from '../../workflow/explain/explanation.ts'
import { Text, type In } from './parts.ts'

export const explainInputs = {
  /** `row` from 0, as `artifacts.read` counts. */
  cell: z.strictObject({ artifactId: Text, row: z.number().int().min(0), column: Text }),
  /** `key`: columns of the node, or of a source, and their values. */
  missing: z.strictObject({
    runId: Text,
    nodeId: Text,
    key: z
      .record(Text, z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .refine((key) => Object.keys(key).length > 0, 'name at least one column')
  })
} as const

type Inputs = { [K in keyof typeof explainInputs]: In<(typeof explainInputs)[K]> }

/** A file as a run read it. */
export type ExplainedFile = { nodeId: string; name: string; fileName: string; sha256: string }

/** What the run read, and which items of the catalog its nodes used, in which versions. */
type Used = { files: ExplainedFile[]; items: UsedItem[] }

export type ExplainApi = {
  /**
   * Where a value comes from: computed again from the run's own inputs, which are kept by their hash. What services
   * answered is taken from the record, and a step that asked names the responses; nothing is sent. `byRowIds`: the run
   * had kept which rows the row came from, and it was found by them, not by its values.
   */
  cell(args: Inputs['cell']): Promise<CellExplanation & Used & { byRowIds: boolean }>
  /** Why a row is not there: which filter, join, rule, expression that failed, or response of a service took it. */
  missing(args: Inputs['missing']): Promise<MissingExplanation & Used>
}
