import type { DbContext } from './ports.ts'
// The one import that chooses the engine: `./duckdb/adapter.ts` may take its place.
import { openContext, prepareStorage, type ContextOptions } from './sqlite/adapter.ts'

export { openRescue } from './salvage/open-rescue.ts'
export { NEWEST_SCHEMA } from './migrations/migrations.ts'
export { readSqliteFile } from './sqlite-file/read-sqlite-file.ts'
export { prepareStorage }
export type { ContextOptions }

/** Opens storage. @throws FlowForgeError `STORAGE_UNAVAILABLE`, `CORRUPT`, `NOT_ALLOWED` for a newer database */
export const openDbContext = (options: ContextOptions): Promise<DbContext> => openContext(options)
