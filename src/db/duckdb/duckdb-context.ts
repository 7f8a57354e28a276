import { createBlobFiles, type BlobFiles } from '../blobs/blob-files.ts'
import { createBlobStore } from '../blobs/blob-store.ts'
import { memoryFileStore } from '../blobs/memory-file-store.ts'
import { MIGRATIONS } from '../migrations/migrations.ts'
import type { DbContext } from '../ports.ts'
import type { StoreWorld } from '../sqlite/event-appending.ts'
import { openPast } from '../sqlite/past.ts'
import { createTransactions, type Scope, type Transactions } from '../sqlite/transactions.ts'
import { createConstraints, type Constraints } from './constraints.ts'
import { createCopies } from './copies.ts'
import { openDuckDBDatabase, type DuckDBDatabase } from './duckdb-database.ts'
import type { StartDuckDB } from './duckdb-instance.ts'
import { createEventStore, type Positions } from './event-store.ts'
import { JSON_MACROS } from './json-functions.ts'
import { noArchive, noBackups, noFile, unsealedLog } from './not-kept.ts'
import { createProjectionStore } from './projection-store.ts'
import { readSchema, schemaSql, type Schema } from './schema.ts'
import { TIME_MACROS } from './time-functions.ts'

export type DuckDBOptions = StoreWorld & {
  /** Everything stands in memory whatever is asked for: DuckDB's files in OPFS lose what was acknowledged. `facts` says so. */
  readonly storage: 'opfs' | 'memory'
  readonly directory?: string
}

type Parts = {
  readonly database: DuckDBDatabase
  readonly transactions: Transactions
  readonly files: BlobFiles
  readonly world: StoreWorld
  readonly schema: Schema
  readonly constraints: Constraints
  readonly positions: Positions
}

/** The blob store's statements: SQLite's texts, which DuckDB understands, told apart by whether they write. */
const blobDatabase = (database: DuckDBDatabase) => ({
  all: database.all,
  run: (sql: string, params: Parameters<DuckDBDatabase['run']>[1]) => {
    database.write(sql, params)
    database.written.add('blobs')
  }
})

const contextFor = (parts: Parts, scope: Scope | null): DbContext => {
  const { database, transactions, files, world, schema } = parts
  return {
    eventStore: createEventStore(parts, scope),
    projectionStore: createProjectionStore(parts, scope),
    blobStore: createBlobStore({
      database: blobDatabase(database),
      transactions,
      files,
      now: world.now,
      scope
    }),
    tx: { runInTransaction: (fn) => transactions.run(scope, (inner) => fn(contextFor(parts, inner))) },
    log: unsealedLog(() =>
      transactions.perform(scope, false, () =>
        Number(database.all('SELECT count(*) AS n FROM events')[0]?.['n'])
      )
    ),
    archive: noArchive,
    backup: noBackups,
    health: noFile,
    rebuilds: createCopies(parts, scope),
    openPast: ({ tables }) => openPast(tables, MIGRATIONS, world.now),
    onCommit: transactions.onCommit,
    facts: () =>
      transactions.perform(scope, false, () => {
        const [row] = database.all('SELECT coalesce(max(position), 0) AS position FROM events')
        return { storage: 'memory', schemaVersion: schema.version, logPosition: Number(row?.['position']) }
      }),
    close: async () => {
      await transactions.close()
      await files.settled()
      database.close()
    }
  }
}

const startHere: StartDuckDB = async () => (await import('./duckdb-in-browser.ts')).startInBrowser()

/** Nothing to do ahead: there is no storage to come by. */
export const prepareDuckDB = (): void => undefined

/** Opens the ports over DuckDB in memory: for analytics and tests. It keeps nothing. */
export const openDuckDBContext = async (
  options: DuckDBOptions,
  start: StartDuckDB = startHere
): Promise<DbContext> => {
  const [schema, database] = await Promise.all([readSchema(options.now), openDuckDBDatabase(start)])
  try {
    for (const sql of [...JSON_MACROS, ...TIME_MACROS, ...schemaSql(schema)]) database.write(sql)
    for (const row of schema.applied) {
      const values = [row['version'], row['name'], row['checksum'], row['applied_at']]
      database.write(
        'INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)',
        values.map((value) => (typeof value === 'number' ? value : String(value)))
      )
    }
    const transactions = createTransactions(database)
    const files = createBlobFiles(database, transactions, memoryFileStore())
    const constraints = createConstraints(schema, database)
    const positions = { last: 0 }
    const world = { now: options.now, newId: options.newId }
    return contextFor({ database, transactions, files, world, schema, constraints, positions }, null)
  } catch (thrown) {
    database.close()
    throw thrown
  }
}
