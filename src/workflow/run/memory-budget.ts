import { z } from 'zod'

/** Leaves DuckDB room for its own buffers beside the rows. */
export const LEAST_MEMORY_BUDGET = 256_000_000
/** The engine's worker can grow to about 3.1 GiB; past that it fails at whatever it asks for next. */
export const MOST_MEMORY_BUDGET = 3_000_000_000
/** What holds where nothing else is set: the tab must have some left. */
export const MEMORY_BUDGET = 2_000_000_000

/** Bytes that the engine may take for its work. What would pass them ends its step with an error. */
export const MemoryBudget = z.int().min(LEAST_MEMORY_BUDGET).max(MOST_MEMORY_BUDGET)
