/** SQLite as `db/index.ts` takes it; every adapter has a file of these names. */
export { openSqliteContext as openContext, type SqliteOptions as ContextOptions } from './sqlite-context.ts'
export { prepareSqlite as prepareStorage } from './open-database.ts'
