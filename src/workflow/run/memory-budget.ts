/**
 * Bytes that the engine may take for its work. What would pass them ends its step with an error; the engine's worker
 * could grow to about 3 GB, and the tab must have some left.
 */
export const MEMORY_BUDGET = 2_000_000_000
