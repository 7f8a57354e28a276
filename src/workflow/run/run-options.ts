import { z } from 'zod'
import { NodeId } from '../graph.ts'
import { MemoryBudget } from './memory-budget.ts'

const Limit = z.int().min(1)

/** How a run is carried out; what is left out is as usual. */
export const RunOptions = z.strictObject({
  /** `changed` (the usual): what was computed before and has not changed is taken as it is; `none`: all is done anew. */
  reuse: z.enum(['changed', 'none']).optional(),
  /** Run from here: this node and all that it feeds are done anew. */
  from: NodeId.optional(),
  /**
   * Which rows in the middle of the workflow are kept, so that a later run, or this one resumed, can go on from them:
   * `slow` (the usual), of what several nodes read and took long; `all`, what leaves every node; `none`.
   */
  checkpoints: z.enum(['slow', 'all', 'none']).optional(),
  /**
   * A row for which an expression fails: `reject` (the usual) lets it leave by the node's `rejected`, `fail` ends the
   * run. What fails for many rows together, as a sum does, always ends it.
   */
  onRowError: z.enum(['reject', 'fail']).optional(),
  /** Keep, beside each table that is written, which rows of the sources its rows came from. */
  rowIds: z.boolean().optional(),
  /** Bytes that the compute engine may take; the usual is `MEMORY_BUDGET`. */
  memory: MemoryBudget.optional(),
  /**
   * A run that passes one ends, and says which. Rows and bytes are those written, also before it was resumed; time is
   * counted anew then.
   */
  limits: z.strictObject({ rows: Limit.optional(), bytes: Limit.optional(), ms: Limit.optional() }).optional()
})
export type RunOptions = z.infer<typeof RunOptions>
