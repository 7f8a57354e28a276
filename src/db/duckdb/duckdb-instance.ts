import type { DuckDBBindings, DuckDBConnection } from '@duckdb/duckdb-wasm/blocking'
import { Int32 } from 'apache-arrow'
import { JSON_FUNCTIONS } from './json-functions.ts'

/** Loads and instantiates the engine; how depends on where it runs. */
export type StartDuckDB = () => Promise<DuckDBBindings>

/**
 * In this order: once extensions cannot load themselves a call that needs one fails instead of breaking the instance,
 * and once the configuration is locked no query can undo it. NULLs sort and integers divide as the ports' other engine
 * does it.
 */
const SETTINGS = [
  'SET autoinstall_known_extensions = false',
  'SET autoload_known_extensions = false',
  `SET default_null_order = 'sqlite'`,
  'SET integer_division = true',
  `SET memory_limit = '2GB'`,
  'SET enable_external_access = false',
  'SET lock_configuration = true'
] as const

const started = new Map<StartDuckDB, Promise<DuckDBBindings>>()

const open = async (start: StartDuckDB): Promise<DuckDBBindings> => {
  const bindings = await start()
  bindings.open({
    path: ':memory:',
    query: { castBigIntToDouble: false, castDecimalToDouble: false, castTimestampToDate: false }
  })
  const connection = bindings.connect()
  for (const setting of SETTINGS) connection.query(setting)
  for (const [name, run] of Object.entries(JSON_FUNCTIONS)) {
    connection.createScalarFunction(name, new Int32(), run)
  }
  return bindings
}

let catalogs = 0

/** A database of its own in memory, in the one engine that this worker has, with a connection to it. */
export const openCatalog = async (
  start: StartDuckDB
): Promise<{ bindings: DuckDBBindings; connection: DuckDBConnection; close: () => void }> => {
  const starting = started.get(start) ?? open(start)
  started.set(start, starting)
  const bindings = await starting.catch((thrown: unknown) => {
    // It may have been the network: the next one who asks tries again.
    started.delete(start)
    throw thrown
  })
  const connection = bindings.connect()
  const name = `flowforge_${(catalogs += 1)}`
  connection.query(`ATTACH ':memory:' AS ${name}`)
  connection.query(`USE ${name}`)
  return {
    bindings,
    connection,
    close: () => {
      connection.query('USE memory')
      connection.query(`DETACH ${name}`)
      connection.close()
    }
  }
}
