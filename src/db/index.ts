import type { DbContext } from './ports.ts'
// The one import that chooses the engine; another adapter of the same ports takes its place here.
import {
  openSqliteContext as openContext,
  type SqliteOptions as ContextOptions
} from './sqlite/sqlite-context.ts'

export { NEWEST_SCHEMA } from './migrations/migrations.ts'
export { prepareSqlite as prepareStorage } from './sqlite/open-database.ts'
export type { ContextOptions }

/** Opens storage. @throws FlowForgeError `STORAGE_UNAVAILABLE`, `CORRUPT`, `NOT_ALLOWED` for a newer database */
export const openDbContext = (options: ContextOptions): Promise<DbContext> => openContext(options)
